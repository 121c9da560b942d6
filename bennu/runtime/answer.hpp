#pragma once

#include <coroutine>
#include <type_traits>
#include <utility>

#include "bennu/base/result.hpp"
#include "bennu/runtime/context.hpp"

namespace bennu {

namespace detail {

template <typename R>
struct ReplyMessage {
    static void run(Shard& shard, Process*, void* payload, ReplyTo to, Instant) {
        WaitTable::Entry* entry = shard.waits().find_waiting(to);
        if (!entry) return;
        static_cast<ValueWaitState<R>*>(entry->state)
            ->value.emplace(std::move(Boxed<R>::get(payload)));
        shard.resume_later(*entry, to);
    }
    static constexpr MessageType type{&run,    &Boxed<R>::destroy, &Boxed<R>::move, sizeof(R), true,
                                      "reply", Boxed<R>::trivial};
};

struct Unit {};
template <typename R>
using ReplyValue = std::conditional_t<std::is_void_v<R>, Unit, R>;

/// Takes a reply to whoever waits for it, on whichever shard.
template <typename R>
void send_reply(ReplyTo to, R value) {
    if (!to) return;
    Shard* shard = Shard::current();
    if (shard && shard->index() == to.shard) {
        WaitTable::Entry* entry = shard->waits().find_waiting(to);
        if (!entry) return;
        static_cast<ValueWaitState<R>*>(entry->state)->value.emplace(std::move(value));
        shard->resume_later(*entry, to);
        return;
    }
    Envelope envelope;
    envelope.type = &ReplyMessage<R>::type;
    envelope.to = Pid(static_cast<std::uint8_t>(to.shard), 0, 0);
    envelope.reply = to;
    Boxed<R>::make(envelope.payload, std::move(value));
    shard->send(std::move(envelope));
}
void send_failure(ReplyTo to, Error error);

/// The awaitable of a call, a sleep or any other single answer; lives in the awaiting frame.
template <typename T>
class Answer : public ValueWaitState<T> {
  public:
    Answer() = default;
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer() { release(); }

  protected:
    ReplyTo begin(std::coroutine_handle<> coroutine, Instant deadline) {
        Shard* shard = Shard::current();
        key_ = shard->waits().add(shard->index(), shard->running(), coroutine, this);
        if (deadline != Instant::max()) timer_ = shard->timers().arm_wait(deadline, key_);
        return key_;
    }
    void release() {
        if (!key_) return;
        Shard* shard = Shard::current();
        if (timer_) shard->timers().cancel(std::exchange(timer_, {}));
        shard->waits().remove(std::exchange(key_, {}));
    }

    /// Set from `begin` to `release`.
    ReplyTo key() const { return key_; }

  private:
    ReplyTo key_;
    TimerKey timer_;
};

}  // namespace detail

/// The right to answer one call, once. Destroyed unused, it tells the caller that no answer will
/// come. Moves freely between the processes of its shard.
template <typename R>
class From {
  public:
    From() = default;
    explicit From(detail::ReplyTo to) : to_(to) {}
    From(From&& other) noexcept : to_(std::exchange(other.to_, {})) {}
    From& operator=(From&& other) noexcept {
        if (this != &other) {
            drop();
            to_ = std::exchange(other.to_, {});
        }
        return *this;
    }
    ~From() { drop(); }
    void reply(detail::ReplyValue<R> value) {
        detail::send_reply(std::exchange(to_, {}), std::move(value));
    }
    void reply()
        requires std::is_void_v<R>
    {
        reply(detail::Unit{});
    }
    void fail(Error error) { detail::send_failure(std::exchange(to_, {}), std::move(error)); }
    explicit operator bool() const { return static_cast<bool>(to_); }

  private:
    void drop() {
        if (to_)
            fail(Error(ErrorKind::cancelled, "no_reply",
                       "the server dropped the call without an answer"));
    }
    detail::ReplyTo to_;
};

/// `co_await sleep(1s)`.
class [[nodiscard]] sleep : detail::Answer<detail::Unit> {
  public:
    explicit sleep(Duration duration) : duration_(duration) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        begin(coroutine, bennu::now() + duration_);
    }
    void await_resume() { release(); }

  private:
    Duration duration_;
};

/// `co_await yield_now()` lets everything else that is due on this shard run first.
class [[nodiscard]] yield_now : detail::Answer<detail::Unit> {
  public:
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        detail::send_reply(begin(coroutine, Instant::max()), detail::Unit{});
    }
    void await_resume() { release(); }
};

}  // namespace bennu
