#pragma once

#include <semaphore.h>

#include <atomic>
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
/// much as everything else, and which the code that logs may have better times for. Lines are
/// queued and written by the piece, each of some dozens of them.
class LogWriter {
  public:
    struct Sink {
        /// One line or several, with line breaks between them.
        Function<void(std::string_view lines)> write;
        Function<void()> flush;  ///< after a batch of them
        Function<void(std::uint64_t lines)> lost;
    };
    static constexpr std::size_t queue_lines = 32'768;
    static constexpr std::size_t piece_bytes = 16 * 1024;
    /// How long the thread waits for more once it was woken without hurry.
    static constexpr Duration patience = std::chrono::milliseconds(10);

    explicit LogWriter(Sink sink);
    /// Writes what is queued.
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    /// Any thread.
    void push(std::string_view line);
    /// Any thread. Lines queued before it are written within `patience`. Costs nothing when that
    /// was said already.
    void wake() {
        if (!woken_.exchange(true)) ::sem_post(&due_);
    }
    /// Any thread, signal handlers too: they are written at once.
    void hurry() {
        hurried_.store(true);
        ::sem_post(&due_);
    }
    /// Whether everything that was queued before was written within that time.
    bool flush(Duration limit);

  private:
    struct Piece {
        std::string text;
        std::size_t lines = 0;
    };

    void run();
    void wait_for_lines();
    void write(std::deque<Piece>& pieces, std::uint64_t lost);

    Sink sink_;
    sem_t due_;
    std::mutex mutex_;
    std::condition_variable written_;
    std::atomic<bool> woken_{false}, hurried_{false};
    std::deque<Piece> queue_;
    std::size_t queued_lines_ = 0;
    std::uint64_t lost_ = 0;  ///< since the last batch
    std::uint64_t queued_count_ = 0;
    std::uint64_t written_count_ = 0;
    bool ending_ = false;
    std::thread thread_;
};

/// Queued lines of the log in use are written at once. May be called by a signal handler.
void hurry_log_writer();

}  // namespace bennu::detail
