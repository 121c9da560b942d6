#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "bennu/base/result.hpp"
#include "bennu/runtime/answer.hpp"
#include "bennu/runtime/task.hpp"
#include "bennu/runtime/type_name.hpp"

namespace bennu {

/// How long a call, or a `send`, waits.
struct CallOptions {
    Duration timeout = std::chrono::seconds(5);
    /// In the handler of a call: waits no longer than that call's own caller does, so that a chain
    /// of calls ends when the first caller's time is up.
    bool inherit_deadline = true;
};

/// The fault of a `call` whose answer did not come.
class CallError : public std::exception {
  public:
    explicit CallError(Error error) : error_(std::move(error)), text_(error_.describe()) {}
    const char* what() const noexcept override { return text_.c_str(); }
    const Error& error() const { return error_; }

  private:
    Error error_;
    std::string text_;
};

namespace detail {

template <typename T>
inline constexpr bool is_task = false;
template <typename T>
inline constexpr bool is_task<Task<T>> = true;

template <typename M>
struct DeclaredReply {
    using type = void;
};
template <typename M>
    requires requires { typename M::Reply; }
struct DeclaredReply<M> {
    using type = typename M::Reply;
};
template <typename S, typename M>
constexpr Priority lane_of() {
    if constexpr (requires { M::priority; }) {
        return S::mailbox.lanes ? M::priority : Priority::normal;
    } else {
        return Priority::normal;
    }
}

/// What a call with M yields: `M::Reply`, or nothing.
template <typename M>
using ReplyOf = typename DeclaredReply<M>::type;

/// A root coroutine's promise whose result is a reply.
template <typename R>
std::coroutine_handle<> complete_handler(PromiseBase& base);

/// Tells the caller when the handler throws.
struct PendingReply {
    ReplyTo reply;
    ReplyTo take() { return std::exchange(reply, {}); }
    ~PendingReply() {
        if (reply)
            send_failure(reply,
                         Error(ErrorKind::closed, "crashed", "the server crashed on this call"));
    }
};

template <typename S, typename M>
struct Handler {
    static void run(Shard& shard, Process* process, void* payload, ReplyTo reply, Instant) {
        S& server = *static_cast<S*>(process->body);
        M& message = Boxed<M>::get(payload);
        if constexpr (requires { server.handle(std::move(message), From<ReplyOf<M>>(reply)); }) {
            From<ReplyOf<M>> from(reply);
            using Out = decltype(server.handle(std::move(message), std::move(from)));
            if constexpr (is_task<Out>) {
                start(shard, *process, server.handle(std::move(message), std::move(from)),
                      ReplyTo{});
            } else {
                server.handle(std::move(message), std::move(from));
            }
        } else {
            using Out = decltype(server.handle(std::move(message)));
            if constexpr (is_task<Out>) {
                PendingReply pending{reply};
                Out task = server.handle(std::move(message));
                start(shard, *process, std::move(task), pending.take());
            } else if constexpr (std::is_void_v<Out>) {
                if (!reply) return server.handle(std::move(message));
                PendingReply pending{reply};
                server.handle(std::move(message));
                pending.take();
                send_reply(reply, Unit{});
            } else {
                PendingReply pending{reply};
                Out out = server.handle(std::move(message));
                pending.take();
                send_reply<ReplyValue<ReplyOf<M>>>(reply, std::move(out));
            }
        }
    }
    static constexpr MessageType type{.run = &run,
                                      .destroy = &Boxed<M>::destroy,
                                      .move = &Boxed<M>::move,
                                      .size = sizeof(M),
                                      .system = false,
                                      .name = type_name_of<M>(),
                                      .trivial = Boxed<M>::trivial,
                                      .priority = lane_of<S, M>(),
                                      .signal = std::is_same_v<M, Down> || std::is_same_v<M, Exit>};
    /// For `send`: the envelope's `reply` is told that the message is in the mailbox.
    static constexpr MessageType sent_type{.run = &run,
                                           .destroy = &Boxed<M>::destroy,
                                           .move = &Boxed<M>::move,
                                           .size = sizeof(M),
                                           .system = false,
                                           .name = type_name_of<M>(),
                                           .trivial = Boxed<M>::trivial,
                                           .priority = lane_of<S, M>(),
                                           .admission = true};

  private:
    template <typename T>
    static void start(Shard& shard, Process& process, Task<T> task, ReplyTo reply) {
        auto handle = task.release();
        handle.promise().complete = &complete_handler<T>;
        shard.start_handler(process, handle.promise(), reply);
    }
};

template <typename S, typename M>
Envelope make_envelope(Pid to, M&& message, ReplyTo reply = {}, Instant deadline = Instant::max()) {
    Envelope envelope;
    envelope.type = &Handler<S, std::remove_cvref_t<M>>::type;
    envelope.to = to;
    envelope.reply = reply;
    envelope.deadline = deadline;
    Boxed<std::remove_cvref_t<M>>::make(envelope.payload, std::forward<M>(message));
    return envelope;
}
/// From a thread beside the shards: the receiver's shard puts it into the mailbox.
void send_from_beside(Envelope& envelope);
inline void send_envelope(Envelope&& envelope) {
    if (Shard* shard = Shard::current()) [[likely]] {
        shard->send(std::move(envelope));
    } else {
        send_from_beside(envelope);
    }
}
/// When somebody who waits from now on gives up.
inline Instant reply_deadline(const CallOptions& options, const PromiseBase& caller) {
    const Shard& shard = *Shard::current();
    Instant own =
        options.timeout == Duration::max() ? Instant::max() : shard.now() + options.timeout;
    if (!options.inherit_deadline) return own;
    // Only the root of a handler of a call has a deadline; what runs beside it has other roots.
    const PromiseBase* root = &caller;
    while (root->parent) root = root->parent;
    return root->deadline == 0 ? own : std::min(own, shard.handler_deadline(*root));
}
/// The frame that waits for a call or send is being destroyed: best effort to have the message
/// skipped, where that takes a message.
void give_up_call(Pid to, ReplyTo reply);

void finish_handler(PromiseBase& root);

template <typename R>
std::coroutine_handle<> complete_handler(PromiseBase& base) {
    if (!base.fault) {
        auto reply = std::bit_cast<ReplyTo>(std::exchange(base.reply, 0));
        if constexpr (std::is_void_v<R>) {
            send_reply(reply, Unit{});
        } else {
            send_reply<R>(reply, std::move(*static_cast<Promise<R>&>(base).result));
        }
    }
    finish_handler(base);
    return std::noop_coroutine();
}

template <typename S, typename M, bool faults>
class [[nodiscard]] Call : Answer<ReplyValue<ReplyOf<M>>> {
    using R = ReplyOf<M>;

  public:
    Call(Pid to, M message, CallOptions options)
        : to_(to), message_(std::move(message)), options_(options) {}
    ~Call() {
        if (this->key()) give_up_call(to_, this->key());
    }
    bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> caller) {
        Instant deadline = reply_deadline(options_, caller.promise());
        ReplyTo reply = this->begin(caller, deadline);
        send_envelope(make_envelope<S>(to_, std::move(message_), reply, deadline));
    }
    auto await_resume() {
        this->release();
        if constexpr (faults) {
            if (this->error) throw CallError(std::move(*this->error));
            if constexpr (!std::is_void_v<R>) return std::move(*this->value);
        } else if constexpr (std::is_void_v<R>) {
            return this->error ? Result<>(std::move(*this->error)) : Result<>();
        } else {
            return this->error ? Result<R>(std::move(*this->error))
                               : Result<R>(std::move(*this->value));
        }
    }

  private:
    Pid to_;
    M message_;
    CallOptions options_;
};

template <typename S, typename M>
class [[nodiscard]] Send : Answer<Unit> {
  public:
    Send(Pid to, M message, CallOptions options)
        : to_(to), message_(std::move(message)), options_(options) {}
    ~Send() {
        if (key()) give_up_call(to_, key());
    }
    bool await_ready() const noexcept { return false; }
    template <std::derived_from<PromiseBase> P>
    void await_suspend(std::coroutine_handle<P> caller) {
        Instant deadline = reply_deadline(options_, caller.promise());
        Envelope envelope =
            make_envelope<S>(to_, std::move(message_), begin(caller, deadline), deadline);
        envelope.type = &Handler<S, M>::sent_type;
        send_envelope(std::move(envelope));
    }
    Result<> await_resume() {
        release();
        return error ? Result<>(std::move(*error)) : Result<>();
    }

  private:
    Pid to_;
    M message_;
    CallOptions options_;
};

}  // namespace detail

/// Sends and forgets. Never blocks, never fails: a process that is gone, or whose mailbox is full,
/// drops the message. Order is kept per pair of sender and receiver.
template <typename S, typename M>
void cast(Ref<S> to, M message) {
    detail::send_envelope(detail::make_envelope<S>(to.pid(), std::move(message)));
}
/// `co_await send(ref, Message{})` suspends until the message is in the mailbox: the cast of a
/// sender that can be slowed down. Errors: `closed` (the process is gone), `overloaded` (its
/// mailbox is full and does not let senders wait, or too many do), `timeout` (the message may have
/// got in at the last moment). Cancelled while it waits, it is not delivered, or, on another shard,
/// most likely not.
template <typename S, typename M>
    requires std::is_class_v<M>
detail::Send<S, M> send(Ref<S> to, M message, CallOptions options = {}) {
    return {to.pid(), std::move(message), options};
}

/// `co_await call(ref, Message{})` yields `Message::Reply`. A server that is gone, crashes or does
/// not answer in time is a fault of the caller (CallError), as in OTP; `try_call` makes it a value.
/// A handler of a call waits at most as long as its own caller (see CallOptions): one that must
/// outlive the impatience of its callers uses `try_call`. A call whose caller is cancelled before
/// its handler starts is not run (from another shard: most likely not).
template <typename S, typename M>
detail::Call<S, M, true> call(Ref<S> to, M message, CallOptions options = {}) {
    return {to.pid(), std::move(message), options};
}
/// As `call`, but yields `Result<Reply>`: kinds `closed` (no such process, crashed), `timeout`,
/// `overloaded`.
template <typename S, typename M>
detail::Call<S, M, false> try_call(Ref<S> to, M message, CallOptions options = {}) {
    return {to.pid(), std::move(message), options};
}

/// Names an armed `send_after`.
using TimerId = detail::TimerKey;
/// Sends the message when `delay` has passed, unless cancelled. For processes of this shard.
template <typename S, typename M>
TimerId send_after(Ref<S> to, M message, Duration delay) {
    return detail::Shard::current()->timers().arm_message(
        bennu::now() + delay, detail::make_envelope<S>(to.pid(), std::move(message)));
}
/// True when it had not fired yet.
bool cancel_timer(TimerId timer);

}  // namespace bennu
