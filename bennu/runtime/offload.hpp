#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>

#include "bennu/base/function.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu {

/// Threads beside the shards, for work that blocks or takes long: file systems, SQLite, password
/// hashing. In the simulator an executor runs its jobs at seeded points of virtual time.
class Executor {
  public:
    virtual ~Executor() = default;
    /// Queues a job; false when the queue is full. Any thread. Jobs of a one-thread executor run in
    /// order, one at a time. The destructor finishes the job that runs and drops the rest.
    virtual bool submit(Function<void()> job) = 0;
};

struct ExecutorOptions {
    std::string name = "offload";
    unsigned threads = 1;
    std::size_t queue_limit = 10'000;
};
/// Real threads, or simulated ones when the current runtime is simulated. Call on a shard.
std::unique_ptr<Executor> make_executor(ExecutorOptions options);
/// The runtime's shared pool (four threads).
Executor& default_executor();

namespace detail {
/// Takes a finished job's result home, to the shard that waits for it.
void post_home(std::uint8_t shard, Function<void()> job);

template <typename R>
struct OffloadResult {
    std::optional<ReplyValue<R>> value;
    std::exception_ptr exception;
};

/// What the caller and the thread that runs its job have in common.
template <typename F>
struct OffloadJob {
    using R = std::invoke_result_t<F&>;
    explicit OffloadJob(F f) : job(std::move(f)) {}

    void run() {
        try {
            if constexpr (std::is_void_v<R>) {
                job();
                result.value.emplace();
            } else {
                result.value.emplace(job());
            }
        } catch (...) {
            result.exception = std::current_exception();
        }
    }

    F job;
    OffloadResult<R> result;
    std::atomic<bool> cancelled{false};
};

template <typename F>
class [[nodiscard]] Offload : Answer<OffloadResult<std::invoke_result_t<F&>>> {
    using R = std::invoke_result_t<F&>;

  public:
    Offload(Executor& executor, F job)
        : executor_(executor), job_(std::make_shared<OffloadJob<F>>(std::move(job))) {}
    ~Offload() {
        if (this->key()) job_->cancelled.store(true, std::memory_order_relaxed);
    }
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> coroutine) {
        ReplyTo reply = this->begin(coroutine, Instant::max());
        bool queued = executor_.submit([reply, job = job_]() mutable {
            if (!job->cancelled.load(std::memory_order_relaxed)) job->run();
            // Even if nobody waits any more: what it captured is destroyed on its shard.
            post_home(static_cast<std::uint8_t>(reply.shard),
                      [reply, job = std::move(job)] { send_reply(reply, std::move(job->result)); });
        });
        if (!queued)
            this->error.emplace(ErrorKind::overloaded, "offload_full", "too much work is waiting");
        return queued;
    }
    R await_resume() {
        this->release();
        if (this->error) {
            if constexpr (is_result<R>) {
                return R(std::move(*this->error));
            } else {
                throw CallError(std::move(*this->error));
            }
        }
        if (this->value->exception) std::rethrow_exception(this->value->exception);
        if constexpr (!std::is_void_v<R>) return std::move(*this->value->value);
    }

  private:
    Executor& executor_;
    std::shared_ptr<OffloadJob<F>> job_;
};
}  // namespace detail

/// `co_await offload(executor, [] { return …; })` runs the callable on a thread of the executor and
/// yields its result; an exception in it is a fault of the caller. When the queue is full, a
/// callable that returns a Result yields `overloaded`; any other is a fault. Cancelling the caller
/// does not interrupt a job that has begun: its result is dropped. One that waits in the queue is
/// not run.
template <typename F>
detail::Offload<F> offload(Executor& executor, F job) {
    return {executor, std::move(job)};
}
template <typename F>
detail::Offload<F> offload(F job) {
    return {default_executor(), std::move(job)};
}

}  // namespace bennu
