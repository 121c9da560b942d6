#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "bennu/base/time.hpp"
#include "bennu/runtime/message.hpp"

namespace bennu::detail {

struct TimerKey {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    explicit operator bool() const { return generation != 0; }
};

/// A hierarchical wheel: four levels of 256 buckets of 1 ms, about 49 days; later deadlines wait on
/// the last level and are sorted in again. Arming and cancelling are O(1). A timer never fires
/// early, and at most one tick late.
class TimerWheel {
  public:
    explicit TimerWheel(Instant now) : now_ms_(to_ms(now)) {}
    ~TimerWheel();
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    /// Wakes a waiting coroutine with a timeout error.
    TimerKey arm_wait(Instant deadline, ReplyTo wait);
    /// Delivers a message; the wheel owns the envelope until then.
    TimerKey arm_message(Instant deadline, Envelope&& envelope);
    /// True when it had not fired yet.
    bool cancel(TimerKey key);

    struct Fired {
        ReplyTo wait;                ///< set for arm_wait
        Message* message = nullptr;  ///< set for arm_message; the caller owns it
    };
    /// Moves the wheel to `now` and appends at most `limit` fired timers; true when more are due at
    /// once.
    bool advance(Instant now, std::size_t limit, std::vector<Fired>& fired);
    /// When the next timer can fire at the earliest; `none` when nothing is armed.
    Instant next_deadline() const;
    static constexpr Instant none = Instant::max();
    std::size_t size() const { return size_; }
    std::size_t bytes() const { return timers_.capacity() * sizeof(Timer); }

  private:
    static constexpr std::uint32_t nil = 0xFFFFFFFF;
    static constexpr int levels = 4;
    static constexpr std::size_t moved_at_once = 1024;
    struct Timer {
        std::uint32_t generation = 1;
        std::uint32_t next = nil, previous = nil;
        std::uint32_t bucket = nil;
        std::uint64_t deadline_ms = 0;
        ReplyTo wait;
        Message* message = nullptr;
    };
    static std::uint64_t to_ms(Instant instant);
    TimerKey arm(Instant deadline, std::uint32_t index);
    std::uint32_t take();
    /// How many buckets after `from` the next one of the level with timers is, going around once.
    std::uint32_t next_occupied(int level, std::uint32_t from) const;
    void link(std::uint32_t index);
    void unlink(std::uint32_t index);
    void release(std::uint32_t index);
    /// Moves what is due soon to finer buckets, a portion at a time; false when some is left.
    bool cascade();

    std::uint64_t now_ms_;
    bool cascading_ = false;  ///< not all timers of this moment are in their buckets yet
    std::array<std::uint32_t, levels * 256> heads_ = [] {
        std::array<std::uint32_t, levels * 256> heads;
        heads.fill(nil);
        return heads;
    }();
    std::array<std::uint64_t, levels * 4> occupied_{};
    std::vector<Timer> timers_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
};

}  // namespace bennu::detail
