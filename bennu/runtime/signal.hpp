#pragma once

#include "bennu/runtime/answer.hpp"

namespace bennu::detail {

/// Where one coroutine waits until other code of its shard has news for it. News that come while
/// nobody waits are not kept: look at the state first, then wait. Either side may go away first.
class Signal {
  public:
    class [[nodiscard]] Wait : Answer<Unit> {
      public:
        explicit Wait(Signal& signal) : signal_(signal) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> coroutine) {
            signal_.waiting_ = begin(coroutine, Instant::max());
        }
        void await_resume() { release(); }

      private:
        Signal& signal_;
    };

    Wait wait() { return Wait(*this); }
    void notify() {
        if (waiting_) send_reply(std::exchange(waiting_, {}), Unit{});
    }

  private:
    ReplyTo waiting_;
};

}  // namespace bennu::detail
