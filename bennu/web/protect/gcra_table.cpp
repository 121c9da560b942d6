#include "bennu/web/protect/gcra_table.hpp"

#include <algorithm>
#include <bit>

namespace bennu {

namespace {

// A cell: 20 bits that tell keys apart, 44 bits of time (the "theoretical arrival time" of the
// algorithm, in ticks). A tag is never 0, so that 0 is an empty cell.
constexpr unsigned time_bits = 44;
constexpr std::uint64_t time_mask = (std::uint64_t{1} << time_bits) - 1;
constexpr std::int64_t tick = 10'000;  // nanoseconds

std::uint64_t tag_of(std::uint64_t hash) {
    std::uint64_t tag = hash >> time_bits;
    return (tag ? tag : 1) << time_bits;
}

Duration of_ticks(std::uint64_t ticks) {
    return Duration(static_cast<std::int64_t>(ticks) * tick);
}

}  // namespace

GcraTable::GcraTable(std::size_t keys)
    : mask_(std::bit_ceil(std::max<std::size_t>(keys / width, 1)) - 1),
      lines_(std::make_unique<Line[]>(mask_ + 1)) {}

/// Where the key is counted: the cell that has it, or else one that is given to it now.
std::atomic<std::uint64_t>& GcraTable::cell_of(Line& line, std::uint64_t tag, std::uint64_t now) {
    auto find = [&]() -> std::atomic<std::uint64_t>* {
        for (auto& cell : line.cells) {
            if ((cell.load(std::memory_order_acquire) & ~time_mask) == tag) return &cell;
        }
        return nullptr;
    };
    if (auto* cell = find()) return *cell;
    while (line.adding.exchange(1, std::memory_order_acquire)) {}
    // Only one thread adds to a line at a time, so that no key is in it twice.
    std::atomic<std::uint64_t>* cell = find();
    while (!cell) {
        std::atomic<std::uint64_t>* oldest = &line.cells[0];
        std::uint64_t held = oldest->load(std::memory_order_acquire);
        for (auto& other : line.cells) {
            std::uint64_t value = other.load(std::memory_order_acquire);
            if ((value & time_mask) >= (held & time_mask)) continue;
            oldest = &other;
            held = value;
        }
        if (oldest->compare_exchange_strong(held, tag | (now & time_mask))) cell = oldest;
    }
    line.adding.store(0, std::memory_order_release);
    return *cell;
}

RateDecision GcraTable::hit(std::uint64_t hash, const RateRule& rule, Instant at) {
    const std::uint64_t now = static_cast<std::uint64_t>(std::max<std::int64_t>(at.ns, 0) / tick);
    const std::uint64_t tag = tag_of(hash);
    const std::uint64_t burst = rule.burst ? rule.burst : rule.limit;
    // Rounded up: rather a little less than the limit than more.
    const std::uint64_t step = std::max<std::uint64_t>(
        (static_cast<std::uint64_t>(rule.per.count()) + rule.limit * tick - 1) /
            (static_cast<std::uint64_t>(rule.limit) * tick),
        1);
    const std::uint64_t full = step * burst;
    Line& line = lines_[hash & mask_];
    while (true) {
        std::atomic<std::uint64_t>& cell = cell_of(line, tag, now);
        std::uint64_t held = cell.load(std::memory_order_acquire);
        if ((held & ~time_mask) != tag) continue;  // its cell was given away meanwhile
        // No debt is larger than the burst; one that is comes from a clock that went back, and is
        // cut, or it would hold until the clock is where it was.
        std::uint64_t arrival = std::clamp(held & time_mask, now, now + full);
        const bool cut = arrival < (held & time_mask);
        RateDecision decision;
        decision.allowed = arrival + step <= now + full;
        if (decision.allowed) {
            arrival += step;
        } else {
            decision.retry_after = of_ticks(arrival + step - now - full);
        }
        if ((decision.allowed || cut) &&
            !cell.compare_exchange_weak(held, tag | (arrival & time_mask))) {
            continue;
        }
        decision.remaining = static_cast<std::uint32_t>((now + full - arrival) / step);
        decision.reset = of_ticks(arrival - now);
        return decision;
    }
}

}  // namespace bennu
