// How long callers still wait, and whether they do.
#include "bennu/runtime/shard.hpp"

#include <algorithm>
#include <stdexcept>

namespace bennu::detail {

namespace {

/// A call's deadline as the root of its handler keeps it: about milliseconds, in four bytes that
/// were free. They wrap around; a call that may last longer than half of that has no deadline.
constexpr Duration longest_call = std::chrono::days(24);
std::uint32_t call_ticks(Instant at) {
    return static_cast<std::uint32_t>(at.ns >> 20);
}

/// What the root of a handler keeps instead of the name of a caller that gave up. Nobody's name.
constexpr ReplyTo gone{.index = 1};

}  // namespace

void Shard::start_handler(Process& process, PromiseBase& root, ReplyTo reply) {
    if (process.root) {
        root.handle().destroy();
        throw std::logic_error("a handler is in progress in this process already");
    }
    root.contains_faults = true;
    root.reply = std::bit_cast<std::uint64_t>(reply);
    if (deadline_ - now_ < longest_call) root.deadline = std::max(call_ticks(deadline_), 1U);
    process.root = &root;
    root.handle().resume();
}

Duration Shard::time_left() {
    Process* process = find(running_);
    if (!process || !process->root)
        return deadline_ == Instant::max() ? Duration::max() : deadline_ - now_;
    std::uint32_t deadline = process->root->deadline;
    if (deadline == 0) return Duration::max();
    auto ticks = static_cast<std::int32_t>(deadline - call_ticks(now_));
    // The deadline was rounded down, so this is never more than what is left.
    return Duration(std::max((std::int64_t{ticks} << 20) - (now_.ns & 0xFFFFF), std::int64_t{0}));
}

Instant Shard::handler_deadline(const PromiseBase& root) const {
    auto ticks = static_cast<std::int32_t>(root.deadline - call_ticks(now_));
    // The deadline was rounded down: at the end of its tick the caller has certainly given up.
    // Still within that tick, so that it does not move on along a chain of calls.
    return Instant{(((now_.ns >> 20) + ticks + 1) << 20) - 1};
}

bool Shard::given_up(const Envelope& envelope) {
    return envelope.deadline <= now_ ||
           (envelope.reply.shard == index_ && !waits_.find_waiting(envelope.reply));
}

bool Shard::caller_gone() {
    const Process* process = find(running_);
    if (!process || !process->root) return false;
    auto caller = std::bit_cast<ReplyTo>(process->root->reply);
    if (!caller) return process->root->reply == std::bit_cast<std::uint64_t>(gone);
    if (time_left() == Duration::zero()) return true;
    return caller.shard == index_ && !waits_.find_waiting(caller);
}

void Shard::cancel_call(Pid to, ReplyTo reply) {
    Process* process = find(to);
    if (!process) return;
    const auto name = std::bit_cast<std::uint64_t>(reply);
    if (process->root && process->root->reply == name) {
        process->root->reply = std::bit_cast<std::uint64_t>(gone);
        return;
    }
    // Bounded: a message further back is run in vain, which is what would happen without this.
    int left = 4096;
    auto mark = [&](Message* tail) {
        if (!tail) return false;
        Message* at = tail->next;
        for (; left > 0; --left, at = at->next) {
            if (std::bit_cast<std::uint64_t>(at->envelope.reply) == name) {
                at->envelope.deadline = Instant{1};  // long past
                return true;
            }
            if (at == tail) break;
        }
        return false;
    };
    if (mark(process->tail)) return;
    if (!process->besides.extension() || !process->besides.extension()->mailbox) return;
    MailboxQueues& queues = *process->besides.extension()->mailbox;
    if (mark(queues.high.tail) || mark(queues.low.tail)) return;
    for (auto& waiting : queues.waiting) {
        if (!mark(waiting.tail)) continue;
        queues.earliest_deadline = Instant{1};
        return;
    }
}

}  // namespace bennu::detail
