#include "bennu/base/log_writer.hpp"

#include <pthread.h>

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
    wake();
    thread_.join();
    ::sem_destroy(&due_);
}

void LogWriter::push(std::string line) {
    std::string oldest;  // freed without the lock
    const std::lock_guard lock(mutex_);
    ++queued_count_;
    if (queue_.size() == queue_lines) {
        oldest = std::move(queue_.front());
        queue_.pop_front();
        ++lost_;
    }
    queue_.push_back(std::move(line));
}

bool LogWriter::flush(Duration limit) {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = queued_count_;
    wake();
    return written_.wait_for(lock, limit, [&] { return written_count_ >= wanted; });
}

void LogWriter::run() {
    std::deque<std::string> lines;
    while (true) {
        while (::sem_wait(&due_) != 0 && errno == EINTR) {}
        while (::sem_trywait(&due_) == 0) {}  // one batch answers them all
        std::unique_lock lock(mutex_);
        lines.swap(queue_);
        const std::uint64_t lost = std::exchange(lost_, 0);
        const std::uint64_t taken = queued_count_;
        const bool last = ending_;
        lock.unlock();
        write(lines, lost);
        lines.clear();
        lock.lock();
        written_count_ = taken;
        written_.notify_all();
        if (last) return;
    }
}

void LogWriter::write(std::deque<std::string>& lines, std::uint64_t lost) {
    if (lost != 0) sink_.lost(lost);
    for (const std::string& line : lines) sink_.write(line);
    if (lost != 0 || !lines.empty()) sink_.flush();
}

}  // namespace bennu::detail
