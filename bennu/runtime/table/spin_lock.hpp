#pragma once

#include <sched.h>

#include <atomic>

namespace bennu::detail {

/// Waits a moment in a loop: first by spinning, then by giving the processor away, because whoever
/// is waited for may have been preempted.
class Backoff {
  public:
    void wait() {
        if (++rounds_ < 64) {
            __builtin_ia32_pause();
        } else {
            ::sched_yield();
        }
    }

  private:
    int rounds_ = 0;
};

/// Waits before another try at something that many write: long enough that the others get through
/// several changes while the memory is in their core's cache. Trying at once makes every change
/// fetch it from the other core.
class WriteBackoff {
  public:
    void wait() {
        for (int i = 0; i < pauses_; ++i) __builtin_ia32_pause();
        if (pauses_ < 256) {
            pauses_ *= 2;
        } else {
            ::sched_yield();
        }
    }

  private:
    int pauses_ = 16;
};

/// One byte, for critical sections of some dozen instructions.
class SpinLock {
  public:
    void lock() {
        Backoff backoff;
        while (taken_.exchange(true, std::memory_order_acquire)) {
            while (taken_.load(std::memory_order_relaxed)) backoff.wait();
        }
    }
    bool try_lock() {
        return !taken_.load(std::memory_order_relaxed) &&
               !taken_.exchange(true, std::memory_order_acquire);
    }
    void unlock() { taken_.store(false, std::memory_order_release); }

  private:
    std::atomic<bool> taken_{false};
};

}  // namespace bennu::detail
