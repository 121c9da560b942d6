#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace bennu::net {

/// How many connections a server has, on all of its shards and on each: what its limit is compared
/// with, and what says where the next one goes. Any thread; touched when a connection begins and
/// ends.
class ConnectionCounts {
  public:
    ConnectionCounts(std::size_t most, unsigned shards);

    /// One more, unless there are as many as there may be. It is of no shard yet.
    bool enter();
    /// One that is of no shard goes.
    void leave() { total_.fetch_sub(1, std::memory_order_relaxed); }

    /// Puts one that has entered on the shard that accepted it; or on the one with the fewest, when
    /// the former has more than its share and `slack`, unless the latter is closed. While nobody
    /// leaves, no shard gets more than an equal share of all, `slack`, and one for each shard,
    /// which may all put one down at the same moment.
    std::uint8_t place(std::uint8_t accepted_on);
    /// Puts one that has entered on this shard.
    void place_on(std::uint8_t shard) { shards_[shard].count.fetch_add(1); }
    /// One more on this shard, whether there is room or not.
    void add(std::uint8_t shard) {
        total_.fetch_add(1, std::memory_order_relaxed);
        place_on(shard);
    }
    /// One of this shard goes.
    void leave(std::uint8_t shard) {
        shards_[shard].count.fetch_sub(1);
        leave();
    }

    /// From now on no other shard puts any here. Who was put here before counts.
    void close(std::uint8_t shard) { shards_[shard].closed.store(true); }

    bool full() const { return total() >= most_; }
    std::size_t total() const { return total_.load(std::memory_order_relaxed); }
    std::size_t on(std::uint8_t shard) const { return shards_[shard].count.load(); }

    /// So many more than its share a shard may have: while connections come and go, moving them to
    /// another shard is not worth a message each.
    static constexpr std::size_t slack = 16;

  private:
    struct alignas(64) Shard {
        std::atomic<std::size_t> count = 0;
        std::atomic<bool> closed = false;
    };
    std::uint8_t fewest() const;

    const std::size_t most_;
    const unsigned shard_count_;
    std::unique_ptr<Shard[]> shards_;
    alignas(64) std::atomic<std::size_t> total_ = 0;
};

}  // namespace bennu::net
