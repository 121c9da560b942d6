// How messages and jobs reach the processes of this shard and of others.
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu::detail {

namespace {

/// There is no memory for it: its sender faults, and the message goes with it.
void lose(Envelope& envelope) {
    MustAllocate handling;
    send_failure(envelope.reply, Error(ErrorKind::overloaded, "no_memory", "out of memory"));
    envelope.type->destroy(envelope.payload);
}

}  // namespace

Message* Shard::new_message(Envelope& envelope) {
    try {
        return new Message;
    } catch (...) {
        lose(envelope);
        throw;
    }
}

void Shard::send_away(Envelope& envelope) {
    if (closing_) {
        envelope.type->destroy(envelope.payload);
    } else if (envelope.to.shard() < runtime_.shard_count()) {
        if (observer_) [[unlikely]]
            observer_->sent(*this, envelope);
        try {
            ring_to(envelope.to.shard()).push(envelope);
        } catch (...) {
            lose(envelope);
            throw;
        }
    } else {
        return_to_sender(envelope);
    }
}

void Shard::return_to_sender(Envelope& envelope) {
    if (observer_) [[unlikely]]
        observer_->dropped(*this, envelope, "no such process");
    send_failure(envelope.reply, Error(ErrorKind::closed, "noproc", "no such process"));
    envelope.type->destroy(envelope.payload);
}

void Shard::deliver(Envelope& envelope) {
    const MessageType* type = envelope.type;
    if (envelope.to.generation() == 0 && type->system) {
        if (observer_) [[unlikely]]
            observer_->arrived(*this, envelope);
        type->run(*this, nullptr, envelope.payload, envelope.reply, envelope.deadline);
        type->destroy(envelope.payload);
        return;
    }
    Process* process = find(envelope.to);
    if (!process) {
        return_to_sender(envelope);
        return;
    }
    if (type->special || process->mailbox >= process->type->mailbox.limit) [[unlikely]] {
        deliver_special(*process, envelope);
        return;
    }
    enqueue(*process, envelope);
}

void Shard::enqueue(Process& process, Envelope& envelope) {
    Message* message = new_message(envelope);
    take_envelope(message->envelope, envelope);
    push_message(process.tail, message);
    ++process.mailbox;
    if (observer_) [[unlikely]]
        observer_->queued(*this, *message);
    schedule(process);
}

namespace {

struct JobMessage {
    using Job = Function<void()>;
    static void run(Shard&, Process*, void* payload, ReplyTo, Instant) {
        Boxed<Job>::get(payload)();
    }
    static constexpr MessageType type{
        &run, &Boxed<Job>::destroy, &Boxed<Job>::move, sizeof(Job), true, "job"};
};

}  // namespace

void Shard::post(std::uint8_t shard, Function<void()> job) {
    if (shard == index_) {
        jobs_.push_back(std::move(job));
        return;
    }
    Envelope envelope;
    envelope.type = &JobMessage::type;
    envelope.to = Pid(shard, 0, 0);
    Boxed<Function<void()>>::make(envelope.payload, std::move(job));
    send(std::move(envelope));
}

void Shard::inject(Function<void()> job) {
    {
        std::lock_guard lock(injected_mutex_);
        injected_.push_back(std::move(job));
    }
    has_injected_.store(true, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst)) reactor_->wake();
}

Ring& Shard::ring_to(std::uint8_t shard) {
    return *(*rings_)[std::size_t{index_} * runtime_.shard_count() + shard];
}
Ring& Shard::ring_from(std::uint8_t shard) {
    return *(*rings_)[std::size_t{shard} * runtime_.shard_count() + index_];
}

}  // namespace bennu::detail
