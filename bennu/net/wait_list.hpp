#pragma once

#include <algorithm>
#include <vector>

#include "bennu/runtime/answer.hpp"

namespace bennu::net {

/// The coroutines of one process that wait for the same thing of its socket.
class WaitList {
  public:
    class [[nodiscard]] Wait : detail::Answer<detail::Unit> {
      public:
        Wait(WaitList& list, Duration limit) : list_(list), limit_(limit) {}
        ~Wait() { leave(); }
        bool await_ready() const noexcept { return limit_ <= Duration::zero(); }
        void await_suspend(std::coroutine_handle<> coroutine) {
            key_ = begin(coroutine, limit_ == Duration::max() ? Instant::max() : now() + limit_);
            list_.waiting_.push_back(this);
        }
        /// Whether it happened in time.
        bool await_resume() {
            leave();
            release();
            return value.has_value();
        }

      private:
        void leave() { std::erase(list_.waiting_, this); }

        friend WaitList;
        WaitList& list_;
        Duration limit_;
        detail::ReplyTo key_;
    };

    /// `co_await list.wait(limit)`: false once the limit has passed.
    Wait wait(Duration limit) { return Wait(*this, limit); }
    void notify() {
        for (Wait* one : std::exchange(waiting_, {})) detail::send_reply(one->key_, detail::Unit{});
    }

  private:
    std::vector<Wait*> waiting_;
};

}  // namespace bennu::net
