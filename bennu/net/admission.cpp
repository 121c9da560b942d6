#include "bennu/net/admission.hpp"

#include <algorithm>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

constinit EventName overload_begin{"net.overload.begin"};
constinit EventName overload_end{"net.overload.end"};

/// An overload that comes and goes is not told each time.
constexpr Duration log_interval = 10s;

}  // namespace

Admission::Verdict Admission::judge(Instant now, Duration waited) {
    if (memory_full_) return Verdict::memory;
    if (limits_.queue_delay <= Duration::zero()) return Verdict::admitted;
    // Nobody came for a window; not: nobody was looked at, in a turn that took longer than that.
    const bool paused = now - waited - last_ > limits_.window;
    last_ = now;
    if (paused || now >= window_end_) {
        end_window(paused);
        begin_window(now, waited);
    } else {
        ++count_;
        shortest_ = std::min(shortest_, waited);
        longest_ = std::max(longest_, waited);
    }
    return overloaded_ && waited > 2 * limits_.queue_delay ? Verdict::queue : Verdict::admitted;
}

void Admission::begin_window(Instant now, Duration waited) {
    window_end_ = now + limits_.window;
    shortest_ = longest_ = waited;
    count_ = 1;
}

void Admission::end_window(bool paused) {
    // When nobody came for a whole window, what was before says nothing about now.
    if (overloaded_) {
        if (!paused && longest_ > limits_.queue_delay) return;
        overloaded_ = false;
        emit(overload_end, {}, {{"why", "queue"}});
    } else if (!paused && count_ >= limits_.fewest && shortest_ > limits_.queue_delay) {
        overloaded_ = true;
        emit(overload_begin, {{"waited", shortest_}}, {{"why", "queue"}});
        if (logged_ != Instant{} && last_ - logged_ < log_interval) return;
        logged_ = last_;
        log_warning("requests come faster than they are answered; some are turned away",
                    {{"waited", shortest_}});
    }
}

void Admission::note_memory(std::uint64_t bytes) {
    // Room to breathe, so that it does not begin again with the next request.
    const std::uint64_t enough = limits_.memory - limits_.memory / 20;
    const bool full = limits_.memory > 0 && bytes > (memory_full_ ? enough : limits_.memory);
    if (full == memory_full_) return;
    memory_full_ = full;
    emit(full ? overload_begin : overload_end, {{"bytes", bytes}}, {{"why", "memory"}});
    if (full) {
        log_warning("the process holds too much memory; requests are turned away",
                    {{"bytes", bytes}, {"limit", limits_.memory}});
    }
}

std::string_view to_string(Admission::Verdict verdict) {
    switch (verdict) {
        case Admission::Verdict::queue:
            return "queue";
        case Admission::Verdict::memory:
            return "memory";
        case Admission::Verdict::admitted:
            break;
    }
    return "admitted";
}

}  // namespace bennu::net
