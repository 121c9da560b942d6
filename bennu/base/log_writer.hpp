#pragma once

#include <semaphore.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "bennu/base/function.hpp"
#include "bennu/base/time.hpp"

namespace bennu::detail {

/// Writes lines on a thread of its own, in the order in which they came. A full queue loses its
/// oldest lines rather than hold anybody up; what was lost is said in its place.
///
/// A line is queued without waking the thread: that is a system call, which costs several times as
/// much as everything else, and which the code that logs may have better times for.
class LogWriter {
  public:
    struct Sink {
        Function<void(std::string_view line)> write;
        Function<void()> flush;  ///< after a batch of lines
        Function<void(std::uint64_t lines)> lost;
    };
    static constexpr std::size_t queue_lines = 8192;

    explicit LogWriter(Sink sink);
    /// Writes what is queued.
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    /// Any thread.
    void push(std::string line);
    /// Any thread, signal handlers too. Lines queued before it are written soon.
    void wake() { ::sem_post(&due_); }
    /// Whether everything that was queued before was written within that time.
    bool flush(Duration limit);

  private:
    void run();
    void write(std::deque<std::string>& lines, std::uint64_t lost);

    Sink sink_;
    sem_t due_;
    std::mutex mutex_;
    std::condition_variable written_;
    std::deque<std::string> queue_;
    std::uint64_t lost_ = 0;  ///< since the last batch
    std::uint64_t queued_count_ = 0;
    std::uint64_t written_count_ = 0;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace bennu::detail
