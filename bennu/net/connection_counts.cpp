#include "bennu/net/connection_counts.hpp"

namespace bennu::net {

ConnectionCounts::ConnectionCounts(std::size_t most, unsigned shards)
    : most_(most), shard_count_(shards), shards_(std::make_unique<Shard[]>(shards)) {}

bool ConnectionCounts::enter() {
    // Not by adding first and looking then: who is turned away would be in the way of others.
    std::size_t before = total();
    while (before < most_) {
        if (total_.compare_exchange_weak(before, before + 1, std::memory_order_relaxed))
            return true;
    }
    return false;
}

std::uint8_t ConnectionCounts::place(std::uint8_t accepted_on) {
    if (on(accepted_on) > total() / shard_count_ + slack) {
        const std::uint8_t other = fewest();
        // In this order: a shard that closes afterwards sees that somebody is on the way.
        place_on(other);
        if (!shards_[other].closed.load()) return other;
        shards_[other].count.fetch_sub(1);
    }
    place_on(accepted_on);
    return accepted_on;
}

std::uint8_t ConnectionCounts::fewest() const {
    unsigned best = 0;
    for (unsigned i = 1; i < shard_count_; ++i) {
        if (shards_[i].count.load(std::memory_order_relaxed) <
            shards_[best].count.load(std::memory_order_relaxed)) {
            best = i;
        }
    }
    return static_cast<std::uint8_t>(best);
}

}  // namespace bennu::net
