#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "bennu/base/result.hpp"

namespace bennu {

template <typename T = void>
class Task;

/// What a fault leaves behind: the exception and the await points it passed, innermost first.
struct Fault {
    std::exception_ptr exception;
    std::vector<std::source_location> awaits;

    /// The exception's type and text, for logs.
    std::string describe() const;
};

namespace detail {

/// The part of every task's promise that does not depend on its type. A chain of awaiting tasks is
/// a list of these, linked through `parent`; faults and early errors travel along it without
/// resuming the frames in between.
struct PromiseBase {
    using Complete = std::coroutine_handle<> (*)(PromiseBase&);

    /// Decides who runs next once this task has its result. The default is the awaiting parent.
    Complete complete = &resume_parent;
    PromiseBase* parent = nullptr;
    /// The one task that this one awaits: what a crash handler walks down from the root.
    PromiseBase* awaited = nullptr;
    std::source_location where;
    std::unique_ptr<Fault> fault;
    /// For the root of a process: where the result goes (a ReplyTo), 0 for nowhere. For a task that
    /// completes in a way of its own: the object that `complete` is about.
    std::uint64_t reply = 0;
    /// A fault stops its walk up the chain here (`contain`, and the root of a process).
    bool contains_faults = false;
    /// How many tasks await this one, one below the other.
    std::uint16_t depth = 0;
    /// For the root of a process: when the caller gives up (see shard.cpp); 0: never.
    std::uint32_t deadline = 0;

    std::coroutine_handle<> handle() {
        return std::coroutine_handle<PromiseBase>::from_promise(*this);
    }
    static std::coroutine_handle<> resume_parent(PromiseBase& self) {
        if (!self.parent) return std::noop_coroutine();
        self.parent->awaited = nullptr;
        return self.parent->handle();
    }
    /// Below this many awaits a task faults (std::length_error) instead of starting: a chain of
    /// suspended frames is destroyed from its outermost one on, which takes stack for each.
    static constexpr std::uint16_t max_depth = 4'000;
    /// Puts a task below this one; yields what to resume to start it. Set first what else there is
    /// to set: it may complete, with a fault, before this returns.
    std::coroutine_handle<> start_below(PromiseBase& child) {
        child.parent = this;
        awaited = &child;
        child.depth = static_cast<std::uint16_t>(depth + 1);
        return depth < max_depth ? child.handle() : too_deep(child);
    }
    static std::coroutine_handle<> too_deep(PromiseBase& child);
    /// Takes the exception in flight to the nearest promise that contains faults; that one
    /// completes.
    static std::coroutine_handle<> propagate_fault(PromiseBase& thrower);

    std::suspend_always initial_suspend() noexcept { return {}; }
    struct FinalAwaiter {
        bool await_ready() noexcept { return false; }
        template <typename P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> done) noexcept {
            PromiseBase& self = done.promise();
            return self.fault ? propagate_fault(self) : self.complete(self);
        }
        void await_resume() noexcept {}
    };
    FinalAwaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept;

    /// Remembers the line of each `co_await`, for crash reports; costs one store.
    template <typename A>
    A&& await_transform(A&& awaitable,
                        std::source_location here = std::source_location::current()) noexcept {
        where = here;
        return static_cast<A&&>(awaitable);
    }

    static void* operator new(std::size_t size);
    static void operator delete(void* memory, std::size_t size);
};

static_assert(sizeof(PromiseBase) == 7 * sizeof(void*));

template <typename T>
struct Promise : PromiseBase {
    using value_type = T;
    std::optional<T> result;

    Task<T> get_return_object();
    template <typename U = T>
        requires std::is_constructible_v<T, U&&>
    void return_value(U&& value) {
        result.emplace(std::forward<U>(value));
    }
};

template <>
struct Promise<void> : PromiseBase {
    using value_type = void;

    Task<void> get_return_object();
    void return_void() noexcept {}
};

template <typename T>
struct TaskAwaiter {
    std::coroutine_handle<Promise<T>> task;

    bool await_ready() const noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) noexcept {
        return caller.promise().start_below(task.promise());
    }
    T await_resume() {
        if constexpr (!std::is_void_v<T>) return std::move(*task.promise().result);
    }
};

}  // namespace detail

/// A lazy coroutine: runs when awaited, on the shard and within the process of its awaiter.
/// `co_await task` yields the T. Destroying a Task cancels it: the suspended frames below it are
/// destroyed innermost first, and only destructors run. An exception that leaves the coroutine does
/// not pass through awaiting frames: it goes to the nearest `contain`, or ends the process. Awaits
/// nest at most 4,000 deep; one more is a fault.
template <typename T>
class [[nodiscard, clang::coro_return_type, clang::coro_lifetimebound]] Task {
  public:
    using promise_type = detail::Promise<T>;
    using value_type = T;

    Task() = default;
    explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            reset();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Task() { reset(); }

    explicit operator bool() const { return static_cast<bool>(handle_); }
    detail::TaskAwaiter<T> operator co_await() const& noexcept { return {handle_}; }

    /// For the runtime: gives up ownership of the frame.
    std::coroutine_handle<promise_type> release() { return std::exchange(handle_, {}); }
    std::coroutine_handle<promise_type> handle() const { return handle_; }

  private:
    void reset() {
        if (handle_) std::exchange(handle_, {}).destroy();
    }

    std::coroutine_handle<promise_type> handle_;
};

namespace detail {

template <typename T>
Task<T> Promise<T>::get_return_object() {
    static_assert(alignof(Promise) <= 2 * sizeof(void*));
    return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
    return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

/// Completes the caller with the error of the task it required; on success resumes it.
template <typename T, typename Parent>
std::coroutine_handle<> complete_required(PromiseBase& base) {
    auto& inner = static_cast<Promise<Result<T>>&>(base);
    if (*inner.result) return PromiseBase::resume_parent(inner);
    auto& parent = static_cast<Parent&>(*base.parent);
    parent.return_value(std::move(*inner.result).error());
    return parent.complete(parent);
}

template <typename T>
struct RequireTask {
    Task<Result<T>> task;

    bool await_ready() const noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) noexcept {
        static_assert(is_result<typename P::value_type>,
                      "co_await require(...) needs a coroutine that returns Task<Result<...>>");
        auto& inner = task.handle().promise();
        inner.complete = &complete_required<T, P>;
        return caller.promise().start_below(inner);
    }
    T await_resume() {
        if constexpr (!std::is_void_v<T>) return std::move(**task.handle().promise().result);
    }
};

template <typename T>
struct RequireResult {
    Result<T> result;

    bool await_ready() const noexcept { return result.has_value(); }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) noexcept {
        static_assert(is_result<typename P::value_type>,
                      "co_await require(...) needs a coroutine that returns Task<Result<...>>");
        auto& parent = caller.promise();
        parent.return_value(std::move(result).error());
        return parent.complete(parent);
    }
    T await_resume() {
        if constexpr (!std::is_void_v<T>) return *std::move(result);
    }
};

}  // namespace detail

/// `co_await require(task)` yields the value, or completes the calling `Task<Result<…>>` with the
/// error.
template <typename T>
detail::RequireTask<T> require(Task<Result<T>> task) {
    return {std::move(task)};
}
/// The same for an outcome that is there already.
template <typename T>
detail::RequireResult<T> require(Result<T> result) {
    return {std::move(result)};
}

/// What became of a contained task: its value, or the fault that ended it.
template <typename T>
struct Contained {
    std::optional<T> value;
    std::unique_ptr<Fault> fault;
    explicit operator bool() const { return !fault; }
};
template <>
struct Contained<void> {
    std::unique_ptr<Fault> fault;
    explicit operator bool() const { return !fault; }
};

namespace detail {

template <typename T>
struct ContainTask {
    Task<T> task;

    bool await_ready() const noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> caller) noexcept {
        auto& inner = task.handle().promise();
        inner.contains_faults = true;
        return caller.promise().start_below(inner);
    }
    Contained<T> await_resume() {
        auto& inner = task.handle().promise();
        if constexpr (std::is_void_v<T>) {
            return {std::move(inner.fault)};
        } else {
            return {std::move(inner.result), std::move(inner.fault)};
        }
    }
};

}  // namespace detail

/// Framework use only: a wall for faults inside a process, such as one request on a connection that
/// lives on.
template <typename T>
detail::ContainTask<T> contain(Task<T> task) {
    return {std::move(task)};
}

}  // namespace bennu
