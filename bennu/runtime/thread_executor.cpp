#include "bennu/runtime/thread_executor.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace bennu {

namespace {

class ThreadExecutor final : public Executor {
  public:
    explicit ThreadExecutor(ExecutorOptions options) : options_(std::move(options)) {
        for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) {
            threads_.emplace_back([this] {
                // The kernel keeps 15 characters of a thread's name.
                ::pthread_setname_np(::pthread_self(), options_.name.substr(0, 15).c_str());
                work();
            });
        }
    }
    ~ThreadExecutor() override {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        ready_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    bool submit(Function<void()> job) override {
        {
            std::lock_guard lock(mutex_);
            if (stopping_ || jobs_.size() >= options_.queue_limit) return false;
            jobs_.push_back(std::move(job));
        }
        ready_.notify_one();
        return true;
    }

  private:
    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            if (stopping_) return;
            Function<void()> job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            job = nullptr;
            lock.lock();
        }
    }

    ExecutorOptions options_;
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Function<void()>> jobs_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Executor> make_thread_executor(ExecutorOptions options) {
    return std::make_unique<ThreadExecutor>(std::move(options));
}

}  // namespace bennu
