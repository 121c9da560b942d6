#pragma once

#include "bennu/runtime/call.hpp"

namespace bennu {

/// Ticks without drift: the n-th is due n periods after the start, however long the work in between
/// takes.
///
///     interval every(1s);
///     while (true) { co_await every.tick(); … }
///
/// Ticks that were missed because the work took longer are skipped, not made up for.
class interval {
  public:
    explicit interval(Duration period) : period_(std::max(period, Duration(1))), next_(now()) {}

    class [[nodiscard]] Tick : detail::Answer<detail::Unit> {
      public:
        explicit Tick(interval& ticks) : ticks_(ticks) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> coroutine) {
            skipped_ = ticks_.advance();
            begin(coroutine, ticks_.next_);
        }
        std::uint64_t await_resume() {
            release();
            return skipped_;
        }

      private:
        interval& ticks_;
        std::uint64_t skipped_ = 0;
    };
    /// Waits for the next tick that is not past; yields how many were skipped before it.
    Tick tick() { return Tick(*this); }

  private:
    friend class IntervalTimer;
    /// Moves on to the first tick after now; yields how many are past already.
    std::uint64_t advance() {
        next_ += period_;
        Duration late = now() - next_;
        if (late < Duration::zero()) return 0;
        auto skipped = static_cast<std::uint64_t>(late / period_) + 1;
        next_ += period_ * static_cast<std::int64_t>(skipped);
        return skipped;
    }

    Duration period_;
    Instant next_;
};

namespace detail {
struct SendInterval {
    std::uint64_t id = 0;
};
SendInterval start_interval(Duration period, Function<bool()> send);
}  // namespace detail

/// Names a `send_interval`.
using IntervalId = detail::SendInterval;

/// Sends a copy of the message every `period`, without drift, the first after one period, until it
/// is cancelled or the receiver is gone. For processes of this shard.
template <typename S, typename M>
IntervalId send_interval(Ref<S> to, M message, Duration period) {
    return detail::start_interval(period, [to, message = std::move(message)] {
        if (!detail::Shard::current()->find(to.pid())) return false;
        cast(to, M(message));
        return true;
    });
}
/// True when it was still going on.
bool cancel_interval(IntervalId id);

}  // namespace bennu
