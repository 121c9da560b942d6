#include "bennu/base/log_writer.hpp"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

namespace bennu::detail {

LogWriter::LogWriter(Sink sink) : sink_(std::move(sink)) {
    ::sem_init(&due_, 0, 0);
    thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), "log");
        run();
    });
}

LogWriter::~LogWriter() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    hurry();
    thread_.join();
    ::sem_destroy(&due_);
}

void LogWriter::push(std::string_view line) {
    Piece oldest;  // freed without the lock
    const std::lock_guard lock(mutex_);
    ++queued_count_;
    if (queued_lines_ == queue_lines) {
        oldest = std::move(queue_.front());
        queue_.pop_front();
        queued_lines_ -= oldest.lines;
        lost_ += oldest.lines;
    }
    if (queue_.empty() || queue_.back().text.size() + line.size() >= piece_bytes) {
        queue_.emplace_back().text.reserve(std::max(piece_bytes, line.size()));
    } else {
        queue_.back().text += '\n';
    }
    queue_.back().text += line;
    ++queue_.back().lines;
    ++queued_lines_;
}

bool LogWriter::flush(Duration limit) {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = queued_count_;
    hurry();
    return written_.wait_for(lock, limit, [&] { return written_count_ >= wanted; });
}

void LogWriter::wait_for_lines() {
    while (::sem_wait(&due_) != 0 && errno == EINTR) {}
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += std::chrono::nanoseconds(patience).count();
    until.tv_sec += until.tv_nsec / 1'000'000'000;
    until.tv_nsec %= 1'000'000'000;
    while (!hurried_.load()) {
        if (::sem_clockwait(&due_, CLOCK_MONOTONIC, &until) != 0 && errno != EINTR) break;
    }
    while (::sem_trywait(&due_) == 0) {}  // one batch answers them all
    // Before the queue is taken: who queues a line afterwards wakes anew.
    hurried_.store(false);
    woken_.store(false);
}

void LogWriter::run() {
    std::deque<Piece> pieces;
    while (true) {
        wait_for_lines();
        std::unique_lock lock(mutex_);
        pieces.swap(queue_);
        queued_lines_ = 0;
        const std::uint64_t lost = std::exchange(lost_, 0);
        const std::uint64_t taken = queued_count_;
        const bool last = ending_;
        lock.unlock();
        write(pieces, lost);
        pieces.clear();
        lock.lock();
        written_count_ = taken;
        written_.notify_all();
        if (last) return;
    }
}

void LogWriter::write(std::deque<Piece>& pieces, std::uint64_t lost) {
    if (lost != 0) sink_.lost(lost);
    for (const Piece& piece : pieces) sink_.write(piece.text);
    if (lost != 0 || !pieces.empty()) sink_.flush();
}

}  // namespace bennu::detail
