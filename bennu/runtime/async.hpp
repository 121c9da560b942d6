#pragma once

#include "bennu/runtime/join.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu {

struct AsyncOptions {
    /// Where the task runs; the default is the shard of its owner.
    std::optional<std::uint8_t> shard;
};

namespace detail {

/// Stands in the frame of an async task's process: whatever ends it, the owner learns of it.
class AsyncReport {
  public:
    AsyncReport(ReplyTo to, Pid linked_owner) : key_(to), to_(to), linked_(linked_owner) {}
    AsyncReport(AsyncReport&& other) noexcept
        : key_(std::exchange(other.key_, {})), to_(other.take()), linked_(other.linked_) {}
    AsyncReport& operator=(AsyncReport&&) = delete;
    ~AsyncReport();
    /// The name to answer to, once.
    ReplyTo take() { return std::exchange(to_, {}); }
    void crashed(const Fault& fault);

  private:
    void fail(Error error, ExitReason reason);
    ReplyTo key_;
    ReplyTo to_;  ///< until answered
    Pid linked_;
};

/// The owner's half of an async task: an entry of the wait table that is there from the start, so
/// that the value may come before anybody awaits it.
class AsyncWait {
  public:
    /// Starts the task's process. `linked` (or nobody) shares its fault.
    AsyncWait(WaitState& state, Function<Task<>(AsyncReport)> body, Pid linked,
              const AsyncOptions& options);
    AsyncWait(const AsyncWait&) = delete;
    AsyncWait& operator=(const AsyncWait&) = delete;
    /// Ends the process, if it still runs.
    ~AsyncWait();

    /// Whom to resume when the value comes.
    void resumes(std::coroutine_handle<> coroutine);

  private:
    ReplyTo key_;
    std::uint8_t shard_;
    Pid pid_;  ///< of a task on the owner's shard
};

template <typename T>
struct AsyncState {
    ValueWaitState<ReplyValue<T>> state;
    AsyncWait wait;

    AsyncState(Function<Task<T>()> fn, Pid linked, const AsyncOptions& options)
        : wait(
              state,
              [fn = std::move(fn)](AsyncReport report) mutable -> Task<> {
                  Contained<T> done = co_await contain(fn());
                  if (!done) {
                      report.crashed(*done.fault);
                      co_await Refault{std::move(done.fault)};
                  }
                  if constexpr (std::is_void_v<T>) {
                      send_reply(report.take(), Unit{});
                  } else {
                      send_reply<T>(report.take(), std::move(*done.value));
                  }
              },
              linked, options) {}
};

}  // namespace detail

/// A task that runs in a process of its own, and the right to its value. Belongs to the process
/// that started it. Destroying it ends the task: nothing is left behind unowned.
template <typename T>
class [[nodiscard]] Async {
  public:
    Async() = default;
    /// For the runtime; use `async` and `async_nolink`.
    explicit Async(std::unique_ptr<detail::AsyncState<T>> state) : state_(std::move(state)) {}
    explicit operator bool() const { return static_cast<bool>(state_); }
    detail::AsyncState<T>& state() const {
        if (!state_) throw std::logic_error("there is no task to await");
        return *state_;
    }

  private:
    std::unique_ptr<detail::AsyncState<T>> state_;
};

namespace detail {

template <typename T, bool faults>
class [[nodiscard]] AwaitAsync : Answer<Unit> {
  public:
    AwaitAsync(Async<T>& task, Duration timeout) : task_(task.state()), timeout_(timeout) {}
    ~AwaitAsync() { task_.wait.resumes(std::noop_coroutine()); }

    bool await_ready() const { return task_.state.value || task_.state.error; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        task_.wait.resumes(coroutine);
        // A wait of its own for the time-out: the task's goes on waiting for the value.
        if (timeout_ != Duration::max()) this->begin(coroutine, bennu::now() + timeout_);
    }
    auto await_resume() {
        this->release();
        task_.wait.resumes(std::noop_coroutine());
        auto value = std::exchange(task_.state.value, std::nullopt);
        std::optional<Error> error = task_.state.error;
        if (value) {
            task_.state.error.emplace(ErrorKind::closed, "awaited", "the task was awaited before");
        } else if (!error) {
            error.emplace(ErrorKind::timeout, "timeout", "the task is not done yet");
        }
        if constexpr (faults) {
            if (!value) throw CallError(std::move(*error));
            if constexpr (!std::is_void_v<T>) return std::move(*value);
        } else {
            if (!value) return Outcome<T>(std::move(*error));
            if constexpr (std::is_void_v<T>) {
                return Result<>();
            } else {
                return Outcome<T>(std::move(*value));
            }
        }
    }

  private:
    AsyncState<T>& task_;
    Duration timeout_;
};

}  // namespace detail

/// Runs `fn` (a callable that returns a Task) as a process, at once with the caller and on any
/// shard. Linked: a fault of the task is a fault of the caller, whether it awaits or not (a caller
/// that handles `Exit` gets that instead), and the task ends
/// with the caller.
template <typename F>
auto async(F fn, AsyncOptions options = {}) {
    using T = typename std::invoke_result_t<F&>::value_type;
    return Async<T>(std::make_unique<detail::AsyncState<T>>(std::move(fn), self(), options));
}
/// The same, but a fault of the task is only an outcome of `try_await` (or of `await`).
template <typename F>
auto async_nolink(F fn, AsyncOptions options = {}) {
    using T = typename std::invoke_result_t<F&>::value_type;
    return Async<T>(std::make_unique<detail::AsyncState<T>>(std::move(fn), Pid(), options));
}

/// `T value = co_await await(task)`, once. A task that crashed, was killed, or is not done in time
/// is a fault (CallError); one that is late goes on until its handle is destroyed.
template <typename T>
detail::AwaitAsync<T, true> await(Async<T>& task, Duration timeout = std::chrono::seconds(5)) {
    return {task, timeout};
}
/// As `await`, but yields a Result: kinds `closed` (crashed, killed) and `timeout`.
template <typename T>
detail::AwaitAsync<T, false> try_await(Async<T>& task, Duration timeout = std::chrono::seconds(5)) {
    return {task, timeout};
}

}  // namespace bennu
