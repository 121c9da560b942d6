// Mailboxes that are full, have lanes, or let senders wait.
#include "bennu/base/events.hpp"
#include "bennu/runtime/answer.hpp"
#include "bennu/runtime/insight/overflow_event.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu {

constinit EventName overflow_event{"runtime.mailbox.overflow"};

namespace detail {

namespace {

constexpr std::uint8_t high_in_a_row = 8;
constexpr std::uint8_t others_before_low = 64;
constexpr Duration announce_every = std::chrono::seconds(1);

MailboxQueues& queues_of(Extension& extension) {
    if (!extension.mailbox) extension.mailbox = std::make_unique<MailboxQueues>();
    return *extension.mailbox;
}

std::uint32_t length(const Process& process, Priority lane) {
    const MailboxQueues* queues =
        process.besides.extension() ? process.besides.extension()->mailbox.get() : nullptr;
    if (!queues) return lane == Priority::normal ? process.mailbox : 0;
    if (lane == Priority::high) return queues->high.count;
    if (lane == Priority::low) return queues->low.count;
    return process.mailbox - queues->high.count - queues->low.count;
}

/// Takes out the oldest message that may be dropped; null when there is none among the first few.
Message* take_oldest(Message*& tail) {
    if (!tail) return nullptr;
    Message* before = tail;
    for (int i = 0; i < 64; ++i) {
        Message* at = before->next;
        if (!at->envelope.type->signal) {
            before->next = at->next;
            if (at == tail) tail = at == before ? nullptr : before;
            return at;
        }
        if (at == tail) break;
        before = at;
    }
    return nullptr;
}

std::string_view name_of(Overflow overflow) {
    switch (overflow) {
        case Overflow::reject:
            return "reject";
        case Overflow::drop_oldest:
            return "drop_oldest";
        case Overflow::block:
            return "block";
    }
    return "unknown";
}

}  // namespace

Priority MailboxQueues::choose(bool normal_waits) {
    Priority lane = Priority::normal;
    if (low.count > 0 && (low_passed >= others_before_low || (!normal_waits && high.count == 0))) {
        lane = Priority::low;
    } else if (high.count > 0 && !(normal_waits && normal_passed >= high_in_a_row)) {
        lane = Priority::high;
    }
    if (lane == Priority::normal || !normal_waits) {
        normal_passed = 0;
    } else if (lane == Priority::high) {
        ++normal_passed;
    }
    low_passed =
        lane == Priority::low || low.count == 0 ? 0 : static_cast<std::uint8_t>(low_passed + 1);
    return lane;
}

bool MailboxQueues::quiet() const {
    return high.count == 0 && low.count == 0 && normal_passed == 0 && waiting_count() == 0;
}

void Shard::deliver_special(Process& process, Envelope& envelope) {
    const MessageType& type = *envelope.type;
    const bool full = length(process, type.priority) >= process.type->mailbox.limit;
    if (full && !type.signal && !make_room(process, envelope)) return;
    Message* message = new_message(envelope);
    take_envelope(message->envelope, envelope);
    put_into_lane(process, message);
    schedule(process);
}

bool Shard::make_room(Process& process, Envelope& envelope) {
    switch (process.type->mailbox.overflow) {
        case Overflow::drop_oldest:
            if (drop_oldest(process, envelope.type->priority)) return true;
            break;
        case Overflow::block:
            if (wait_for_room(process, envelope)) return false;
            break;
        case Overflow::reject:
            break;
    }
    ++rejected_;
    note_overflow(process);
    if (observer_) [[unlikely]]
        observer_->dropped(*this, envelope, "mailbox full");
    send_failure(envelope.reply,
                 Error(ErrorKind::overloaded, "mailbox_full", "the mailbox is full"));
    envelope.type->destroy(envelope.payload);
    return false;
}

bool Shard::drop_oldest(Process& process, Priority lane) {
    Message* oldest;
    if (lane == Priority::normal) {
        oldest = take_oldest(process.tail);
    } else {
        MailboxQueues& queues = queues_of(extension(process));
        MailboxQueues::List& list = lane == Priority::high ? queues.high : queues.low;
        oldest = take_oldest(list.tail);
        if (oldest) --list.count;
    }
    if (!oldest) return false;
    --process.mailbox;
    ++dropped_;
    note_overflow(process);
    if (observer_) [[unlikely]]
        observer_->dropped(*this, oldest->envelope, "dropped from a full mailbox");
    send_failure(oldest->envelope.reply,
                 Error(ErrorKind::overloaded, "dropped", "dropped from a full mailbox"));
    discard(oldest);
    return true;
}

void Shard::discard(Message* message) {
    struct Destroy {
        void operator()(Message* m) const { destroy_message(m); }
    };
    jobs_.push_back([kept = std::unique_ptr<Message, Destroy>(message)] {});
}

bool Shard::wait_for_room(Process& process, Envelope& envelope) {
    if (!envelope.reply) return false;
    MailboxQueues& queues = queues_of(extension(process));
    auto& waiting = queues.waiting[static_cast<std::size_t>(envelope.type->priority)];
    const std::uint32_t limit = process.type->mailbox.waiting_limit;
    if (waiting.count >= limit && queues.earliest_deadline <= now_) skip_given_up(queues);
    if (waiting.count >= limit) return false;
    queues.earliest_deadline = std::min(queues.earliest_deadline, envelope.deadline);
    Message* message = new_message(envelope);
    take_envelope(message->envelope, envelope);
    waiting.push(message);
    ++waiting_senders_;
    process.set(Process::queues);
    return true;
}

void Shard::skip_given_up(MailboxQueues& queues) {
    queues.earliest_deadline = Instant::max();
    for (MailboxQueues::List& waiting : queues.waiting) {
        for (std::uint32_t left = waiting.count; left > 0; --left) {
            Message* message = waiting.pop();
            if (given_up(message->envelope)) {
                --waiting_senders_;
                ++calls_skipped_;
                discard(message);
            } else {
                queues.earliest_deadline =
                    std::min(queues.earliest_deadline, message->envelope.deadline);
                waiting.push(message);
            }
        }
    }
}

void Shard::put_into_lane(Process& process, Message* message) {
    Envelope& envelope = message->envelope;
    if (envelope.type->admission) send_reply(std::exchange(envelope.reply, {}), Unit{});
    ++process.mailbox;
    if (observer_) [[unlikely]]
        observer_->queued(*this, *message);
    if (envelope.type->priority == Priority::normal) {
        push_message(process.tail, message);
        return;
    }
    MailboxQueues& queues = queues_of(extension(process));
    (envelope.type->priority == Priority::high ? queues.high : queues.low).push(message);
    process.set(Process::queues);
}

Message* Shard::next_queued(Process& process) {
    MailboxQueues& queues = *process.besides.extension()->mailbox;
    const Priority lane = queues.choose(process.tail != nullptr);
    Message* next = lane == Priority::high  ? queues.high.pop()
                    : lane == Priority::low ? queues.low.pop()
                                            : pop_message(process.tail);
    --process.mailbox;
    admit_waiting(process, lane);
    if (queues.quiet()) process.clear(Process::queues);
    return next;
}

void Shard::admit_waiting(Process& process, Priority lane) {
    auto& waiting = process.besides.extension()->mailbox->waiting[static_cast<std::size_t>(lane)];
    while (waiting.count > 0 && length(process, lane) < process.type->mailbox.limit) {
        Message* message = waiting.pop();
        --waiting_senders_;
        if (given_up(message->envelope)) {
            ++calls_skipped_;
            discard(message);
        } else {
            put_into_lane(process, message);
        }
    }
}

void Shard::note_overflow(Process& process) {
    MailboxQueues& queues = queues_of(extension(process));
    ++queues.unannounced;
    if (now_ < queues.next_announcement) return;
    queues.next_announcement = now_ + announce_every;
    // Not from here, where the mailbox is being changed: who listens may do anything.
    jobs_.push_back([pid = pid_of(process), type = process.type, length = process.mailbox,
                     count = std::exchange(queues.unannounced, 0)] {
        emit(overflow_event, {{"count", count}, {"mailbox", length}},
             {{"pid", pid.to_string()},
              {"type", type->name},
              {"overflow", name_of(type->mailbox.overflow)}});
    });
}

void Shard::drop_mailbox(Process& process) {
    auto drop = [](Message*& tail) {
        while (tail) {
            Message* oldest = pop_message(tail);
            send_failure(oldest->envelope.reply,
                         Error(ErrorKind::closed, "noproc", "the server ended"));
            destroy_message(oldest);
        }
    };
    drop(process.tail);
    process.mailbox = 0;
    if (!process.besides.extension() || !process.besides.extension()->mailbox) return;
    MailboxQueues& queues = *process.besides.extension()->mailbox;
    drop(queues.high.tail);
    drop(queues.low.tail);
    waiting_senders_ -= queues.waiting_count();
    for (MailboxQueues::List& waiting : queues.waiting) drop(waiting.tail);
}

}  // namespace detail
}  // namespace bennu
