#pragma once

#include <atomic>
#include <memory>

#include "bennu/data/engine.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::data {

/// A request on its way to a database thread, shared with the coroutine that waits for it.
struct Call {
    Request request;
    bennu::detail::ReplyTo reply;
    /// The coroutine is gone or has given up.
    std::atomic<bool> cancelled{false};
};

/// Answers of database threads on their way home, one message per shard.
class Answers {
  public:
    void add(const Call& call, Result<Outcome> outcome);
    void send();

  private:
    struct Answer {
        bennu::detail::ReplyTo reply;
        Result<Outcome> outcome;
    };
    std::vector<std::vector<Answer>> by_shard_;
};

/// Answers one call at once.
void answer(const Call& call, Result<Outcome> outcome);

/// Suspends until the call is answered, its time is up, or `submit` said that there is no room.
class WaitForCall : bennu::detail::Answer<Result<Outcome>> {
  public:
    using Submit = Function<Result<>(std::shared_ptr<Call>)>;

    WaitForCall(Request request, Duration timeout, Submit submit)
        : call_(std::make_shared<Call>()), timeout_(timeout), submit_(std::move(submit)) {
        call_->request = std::move(request);
    }
    WaitForCall(const WaitForCall&) = delete;
    WaitForCall& operator=(const WaitForCall&) = delete;
    ~WaitForCall() { call_->cancelled.store(true, std::memory_order_relaxed); }

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> coroutine);
    Result<Outcome> await_resume();

  private:
    std::shared_ptr<Call> call_;
    Duration timeout_;
    Submit submit_;
};

}  // namespace bennu::data
