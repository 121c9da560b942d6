#pragma once

#include <semaphore.h>

#include <array>
#include <atomic>
#include <thread>

#include "bennu/runtime/insight/stall.hpp"

namespace bennu {

/// A stack on its way from the signal handler to the reporter.
struct StallRecord {
    enum State : int { empty, filling, full };
    std::atomic<int> state{empty};
    std::uint8_t shard = 0;
    Pid pid;
    Duration held{};
    int frames = 0;
    std::array<void*, 64> stack{};
};

/// Takes records from signal handlers, without locks or memory on their side, and tells of them.
struct StallDetector::Reporter {
    explicit Reporter(StallOptions options);
    ~Reporter();
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;

    /// From a signal handler: a record to fill, or null when all are taken; `publish` sends it.
    StallRecord* take();
    void publish(StallRecord& record);

    const StallOptions options;

  private:
    void run();
    void report(const StallRecord& record);
    bool allowed();

    std::array<StallRecord, 16> records_;
    std::atomic<unsigned> suppressed_{0};
    std::vector<std::chrono::steady_clock::time_point> recent_;
    std::atomic<bool> stopping_{false};
    sem_t ready_;
    std::thread thread_;
};

}  // namespace bennu
