#pragma once

#include "bennu/runtime/answer.hpp"

namespace bennu {

namespace detail {

template <typename T>
struct OutcomeOf {
    using type = Result<T>;
};
template <typename T>
struct OutcomeOf<Result<T>> {
    using type = Result<T>;
};
/// The outcome of work that may also fail for a reason of ours: T as a Result, but no Result of a
/// Result.
template <typename T>
using Outcome = typename OutcomeOf<T>::type;

/// Awaits a task and a timer at once; the value says whether the task made it.
template <typename T>
class [[nodiscard]] TimedTask : Answer<Unit> {
  public:
    TimedTask(Task<T>& task, Instant deadline) : task_(task), deadline_(deadline) {}
    bool await_ready() const noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) {
        auto& inner = task_.handle().promise();
        inner.complete = [](PromiseBase& done) {
            reinterpret_cast<TimedTask*>(static_cast<std::uintptr_t>(done.reply))->done_ = true;
            return PromiseBase::resume_parent(done);
        };
        inner.reply = reinterpret_cast<std::uintptr_t>(this);
        this->begin(caller, deadline_);
        return caller.promise().start_below(inner);
    }
    bool await_resume() {
        this->release();
        task_.handle().promise().parent->awaited = nullptr;  // also of a task that is late
        return done_;
    }

  private:
    Task<T>& task_;
    Instant deadline_;
    bool done_ = false;
};

}  // namespace detail

/// `co_await within(task, 1s)` yields the task's outcome, or the error `timeout` once the time is
/// up: then the task has been destroyed already. A task that yields a Result is not wrapped twice.
/// Faults pass through. `Duration::max()` waits for ever.
template <typename T>
Task<detail::Outcome<T>> within(Task<T> task, Duration limit) {
    Instant deadline = limit == Duration::max() ? Instant::max() : now() + limit;
    if (!co_await detail::TimedTask<T>(task, deadline)) {
        task = Task<T>();
        co_return Error(ErrorKind::timeout, "timeout", "the time is up");
    }
    if constexpr (std::is_void_v<T>) {
        co_return Result<>();
    } else {
        co_return std::move(*task.handle().promise().result);
    }
}

}  // namespace bennu
