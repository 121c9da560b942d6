#pragma once

#include <exception>
#include <utility>

#include "bennu/base/function.hpp"
#include "bennu/runtime/answer.hpp"

namespace bennu {

/// `co_await ask_shard<T>(shard, question)` runs the question on a shard, outside of any process
/// there, and yields its answer. An exception in it is the error `closed`. Cancelling the caller
/// does not call the question off: its answer is dropped.
template <typename T>
class [[nodiscard]] ask_shard : detail::Answer<T> {
  public:
    ask_shard(std::uint8_t shard, Function<T()> question)
        : shard_(shard), question_(std::move(question)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        detail::ReplyTo reply = this->begin(coroutine, Instant::max());
        post(shard_, [reply, question = std::move(question_)]() mutable {
            try {
                detail::send_reply<T>(reply, question());
            } catch (const std::exception& failure) {
                detail::send_failure(reply, Error(ErrorKind::closed, "failed", failure.what()));
            }
        });
    }
    Result<T> await_resume() {
        this->release();
        if (this->error) return std::move(*this->error);
        return std::move(*this->value);
    }

  private:
    std::uint8_t shard_;
    Function<T()> question_;
};

}  // namespace bennu
