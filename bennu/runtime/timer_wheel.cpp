#include "bennu/runtime/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace bennu::detail {

namespace {

void drop(Message* message) {
    message->envelope.type->destroy(message->envelope.payload);
    delete message;
}

}  // namespace

TimerWheel::~TimerWheel() {
    for (Timer& timer : timers_) {
        if (timer.bucket != nil && timer.message) drop(timer.message);
    }
}

std::uint64_t TimerWheel::to_ms(Instant instant) {
    // Rounded up: a timer may be late by a tick, never early.
    auto ns = instant.ns;
    return ns <= 0 ? 0 : static_cast<std::uint64_t>(ns + 999'999) / 1'000'000;
}

std::uint32_t TimerWheel::take() {
    if (!free_.empty()) {
        std::uint32_t index = free_.back();
        free_.pop_back();
        return index;
    }
    timers_.emplace_back();
    return static_cast<std::uint32_t>(timers_.size() - 1);
}

TimerKey TimerWheel::arm_wait(Instant deadline, ReplyTo wait) {
    std::uint32_t index = take();
    timers_[index].wait = wait;
    timers_[index].message = nullptr;
    return arm(deadline, index);
}

TimerKey TimerWheel::arm_message(Instant deadline, Envelope&& envelope) {
    std::unique_ptr<Message> message;
    std::uint32_t index = nil;
    try {
        message.reset(new Message);
        index = take();
    } catch (...) {
        envelope.type->destroy(envelope.payload);
        throw;
    }
    Timer& timer = timers_[index];
    timer.wait = {};
    timer.message = message.release();
    take_envelope(timer.message->envelope, envelope);
    envelope.type = nullptr;
    return arm(deadline, index);
}

TimerKey TimerWheel::arm(Instant deadline, std::uint32_t index) {
    Timer& timer = timers_[index];
    timer.deadline_ms = std::max(to_ms(deadline), now_ms_ + 1);
    link(index);
    ++size_;
    return {index, timer.generation};
}

void TimerWheel::link(std::uint32_t index) {
    Timer& timer = timers_[index];
    std::uint64_t ahead = timer.deadline_ms - now_ms_;
    int level = 0;
    while (level < levels - 1 && ahead >= (std::uint64_t{1} << (8 * (level + 1)))) ++level;
    std::uint64_t at = timer.deadline_ms;
    if (ahead >> 32) at = now_ms_ + 0xFFFFFFFF;
    auto bucket = static_cast<std::uint32_t>(level * 256 + ((at >> (8 * level)) & 255));
    timer.bucket = bucket;
    timer.previous = nil;
    timer.next = heads_[bucket];
    if (timer.next != nil) timers_[timer.next].previous = index;
    heads_[bucket] = index;
    occupied_[bucket / 64] |= std::uint64_t{1} << (bucket % 64);
}

void TimerWheel::unlink(std::uint32_t index) {
    Timer& timer = timers_[index];
    if (timer.previous != nil) {
        timers_[timer.previous].next = timer.next;
    } else {
        heads_[timer.bucket] = timer.next;
    }
    if (timer.next != nil) timers_[timer.next].previous = timer.previous;
    if (heads_[timer.bucket] == nil) {
        occupied_[timer.bucket / 64] &= ~(std::uint64_t{1} << (timer.bucket % 64));
    }
    timer.bucket = nil;
}

void TimerWheel::release(std::uint32_t index) {
    Timer& timer = timers_[index];
    --size_;
    // A key may be kept for ever: a slot that has had all its generations is not used again.
    if (++timer.generation != 0) free_.push_back(index);
}

bool TimerWheel::cancel(TimerKey key) {
    if (key.index >= timers_.size()) return false;
    Timer& timer = timers_[key.index];
    if (timer.generation != key.generation || timer.bucket == nil) return false;
    unlink(key.index);
    if (timer.message) drop(timer.message);
    release(key.index);
    return true;
}

bool TimerWheel::cascade() {
    std::size_t moved = 0;
    for (int level = 1; level < levels; ++level) {
        if ((now_ms_ >> (8 * (level - 1))) & 255) break;
        auto bucket = static_cast<std::uint32_t>(level * 256 + ((now_ms_ >> (8 * level)) & 255));
        // None comes back to this bucket: what is in it is due before the wheel is around once.
        while (heads_[bucket] != nil) {
            if (moved++ == moved_at_once) return false;
            std::uint32_t index = heads_[bucket];
            unlink(index);
            link(index);
        }
    }
    return true;
}

bool TimerWheel::advance(Instant now, std::size_t limit, std::vector<Fired>& fired) {
    // Rounded down: only ticks that have passed entirely.
    auto target = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now.ns) / 1'000'000);
    std::size_t count = 0;
    while (true) {
        if (cascading_ && !cascade()) return true;
        cascading_ = false;
        auto bucket = static_cast<std::uint32_t>(now_ms_ & 255);
        while (heads_[bucket] != nil && timers_[heads_[bucket]].deadline_ms <= now_ms_) {
            if (count == limit) return true;
            std::uint32_t index = heads_[bucket];
            Timer& timer = timers_[index];
            unlink(index);
            Fired& out = fired.emplace_back();
            out.wait = timer.wait;
            out.message = timer.message;
            release(index);
            ++count;
        }
        if (now_ms_ >= target) return false;
        if (size_ == 0) {
            now_ms_ = target;
            return false;
        }
        // Skip empty stretches of the first level up to the next cascade.
        std::uint64_t next = now_ms_ + 1;
        std::uint64_t boundary = (now_ms_ | 255) + 1;
        while (next < std::min(boundary, target) &&
               !(occupied_[(next & 255) / 64] >> (next % 64) & 1)) {
            ++next;
        }
        now_ms_ = next;
        cascading_ = true;
    }
}

std::uint32_t TimerWheel::next_occupied(int level, std::uint32_t from) const {
    const std::uint64_t* words = &occupied_[static_cast<std::size_t>(level) * 4];
    for (std::uint32_t i = 0; i <= 4; ++i) {
        std::uint64_t word = words[(from / 64 + i) % 4];
        // The first word is looked at twice: from `from` on, and at last up to it.
        if (i == 0) word &= ~std::uint64_t{0} << (from % 64);
        if (i == 4) word &= ~(~std::uint64_t{0} << (from % 64));
        if (word == 0) continue;
        auto bucket = (from / 64 + i) % 4 * 64 + static_cast<std::uint32_t>(std::countr_zero(word));
        return (bucket - from) & 255;
    }
    return nil;
}

Instant TimerWheel::next_deadline() const {
    if (size_ == 0) return none;
    if (cascading_) return Instant{static_cast<std::int64_t>(now_ms_) * 1'000'000};
    std::uint64_t best = UINT64_MAX;
    for (int level = 0; level < levels; ++level) {
        // The bucket of this very moment comes first on the lowest level and last on the others,
        // which hold only what is further away.
        std::uint64_t start = (now_ms_ >> (8 * level)) + (level == 0 ? 0 : 1);
        std::uint32_t ahead = next_occupied(level, static_cast<std::uint32_t>(start & 255));
        if (ahead == nil) continue;
        best = std::min(best, std::max((start + ahead) << (8 * level), now_ms_));
    }
    if (best == UINT64_MAX) return none;
    return Instant{static_cast<std::int64_t>(best) * 1'000'000};
}

}  // namespace bennu::detail
