#include "bennu/runtime/simulation/observer.hpp"

#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu::detail {

namespace {

constexpr std::size_t max_participants = 50'000;

unsigned lane_key(std::uint8_t from, std::uint8_t to) {
    return unsigned{from} << 8 | to;
}

}  // namespace

std::uint64_t SimObserver::hash_of(const char* name) {
    auto [entry, is_new] = hashes_.try_emplace(name, 0xcbf29ce484222325ULL);
    if (is_new) {
        for (const char* c = name; *c; ++c)
            entry->second = (entry->second ^ static_cast<unsigned char>(*c)) * 0x100000001B3ULL;
    }
    return entry->second;
}

void SimObserver::note(char what, Pid pid, std::uint64_t more) {
    network_.note(static_cast<std::uint64_t>(what) << 56 ^ pid.bits() ^
                  static_cast<std::uint64_t>(network_.now().ns) << 8);
    if (more != 0) network_.note(more);
}

Pid SimObserver::sender(const Shard& shard) const {
    if (timer_) return {};
    return shard.running() ? shard.running() : remote_sender_;
}

void SimObserver::spawned(Shard& shard, const Process& process) {
    MustAllocate tracing;
    Pid pid = shard.pid_of(process);
    note('s', pid, hash_of(process.type->name));
    if (!trace_) return;
    if (trace_->participants().size() < max_participants)
        trace_->participants()[pid] = {process.type->name, {}, now()};
    trace_->add({.kind = TraceEvent::Kind::spawn,
                 .sent = now(),
                 .from = sender(shard),
                 .to = pid,
                 .text = process.type->name});
}

void SimObserver::ended(Shard& shard, Pid pid, const Process& process, const ExitReason& reason) {
    MustAllocate tracing;
    note('e', pid, static_cast<std::uint64_t>(reason.kind()) + 1);
    if (!trace_) return;
    auto participant = trace_->participants().find(pid);
    if (participant != trace_->participants().end()) {
        participant->second.ended = now();
        if (const RegisteredName* name = process.besides.name())
            participant->second.name = name->text();
    }
    trace_->add({.kind = TraceEvent::Kind::exit,
                 .sent = now(),
                 .from = sender(shard) == pid ? Pid() : sender(shard),
                 .to = pid,
                 .text = reason.describe()});
}

void SimObserver::note_names(Shard& shard) {
    if (!trace_) return;
    for (Pid pid : shard.processes()) {
        auto participant = trace_->participants().find(pid);
        if (participant != trace_->participants().end())
            participant->second.name = process_info(shard, *shard.find(pid)).name;
    }
}

void SimObserver::sent(Shard& shard, const Envelope& envelope) {
    MustAllocate tracing;
    if (!trace_) return;
    std::uint64_t event = UINT64_MAX;
    // Replies and failures are answers; of whom they are for the receiving shard knows.
    if (!envelope.type->system || envelope.reply) {
        event = trace_->add(
            {.kind = envelope.type->system ? TraceEvent::Kind::answer : TraceEvent::Kind::message,
             .sent = now(),
             .from = sender(shard),
             .to = envelope.to,
             .text = envelope.type->name});
    }
    lanes_[lane_key(shard.index(), envelope.to.shard())].under_way.push_back(
        {sender(shard), event});
}

void SimObserver::arriving(Shard& shard, const std::uint8_t* from) {
    MustAllocate tracing;
    remote_sender_ = {};
    remote_event_.reset();
    if (!trace_ || !from) return;
    Lane& lane = lanes_[lane_key(*from, shard.index())];
    if (lane.under_way.empty()) return;
    remote_sender_ = lane.under_way.front().from;
    if (lane.under_way.front().event != UINT64_MAX) remote_event_ = lane.under_way.front().event;
    lane.under_way.pop_front();
}

void SimObserver::arrived(Shard&, const Envelope& envelope) {
    MustAllocate tracing;
    note('a', envelope.to, hash_of(envelope.type->name));
}

/// The event of a message that reaches its shard now: the one made when it left another, or new.
TraceEvent& SimObserver::arrival(Shard& shard, const Envelope& envelope, std::uint64_t& id) {
    TraceEvent* event = remote_event_ ? trace_->find(*remote_event_) : nullptr;
    if (event) {
        id = *remote_event_;
    } else {
        id = trace_->add({.sent = now(),
                          .from = sender(shard),
                          .to = envelope.to,
                          .text = envelope.type->name,
                          .by_timer = timer_});
        event = trace_->find(id);
    }
    remote_event_.reset();
    event->arrived = now();
    return *event;
}

void SimObserver::queued(Shard& shard, const Message& message) {
    MustAllocate tracing;
    note('q', message.envelope.to, hash_of(message.envelope.type->name));
    if (trace_) {
        std::uint64_t id = 0;
        arrival(shard, message.envelope, id);
        waiting_[&message] = id;
    }
    timer_ = false;
}

void SimObserver::dropped(Shard& shard, const Envelope& envelope, const char* why) {
    MustAllocate tracing;
    note('d', envelope.to, hash_of(envelope.type->name));
    if (trace_) {
        std::uint64_t id = 0;
        TraceEvent& event = arrival(shard, envelope, id);
        event.lost = true;
        event.text.append(" (").append(why).append(")");
    }
    timer_ = false;
}

void SimObserver::runs(Shard& shard, const Process& process, const Message& message) {
    MustAllocate tracing;
    note('r', shard.pid_of(process), hash_of(message.envelope.type->name));
    if (!trace_) return;
    auto waiting = waiting_.find(&message);
    if (waiting == waiting_.end()) return;
    if (TraceEvent* event = trace_->find(waiting->second)) event->ran = now();
    waiting_.erase(waiting);
}

void SimObserver::answered(Shard& shard, Pid owner) {
    MustAllocate tracing;
    note('w', owner);
    if (trace_) {
        TraceEvent* event = remote_event_ ? trace_->find(*remote_event_) : nullptr;
        if (event && event->kind == TraceEvent::Kind::answer) {
            event->to = owner;
            event->arrived = now();
            remote_event_.reset();
        } else if (sender(shard) != owner) {
            trace_->add({.kind = TraceEvent::Kind::answer,
                         .sent = now(),
                         .arrived = now(),
                         .from = sender(shard),
                         .to = owner,
                         .text = timer_ ? "time is up" : "reply",
                         .by_timer = timer_});
        }
    }
    timer_ = false;
}

void SimObserver::resumes(Shard&, Pid owner) {
    note('c', owner);
}

void SimObserver::timer(Shard&) {
    timer_ = true;
}

void SimObserver::socket_ready(Shard&, Pid pid) {
    note('i', pid);
}

void SimObserver::fault(const SimFault& fault, Pid victim) {
    MustAllocate tracing;
    network_.note(static_cast<std::uint64_t>(fault.kind) + 0xFA17);
    if (!trace_) return;
    trace_->add({.kind = TraceEvent::Kind::fault,
                 .sent = now(),
                 .to = victim,
                 .text = std::string(to_string(fault.kind)) + ": " + fault.hit});
}

}  // namespace bennu::detail
