#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "bennu/runtime/shard.hpp"

namespace bennu {

/// A number that every shard adds to without touching another's memory: a cell of its own for each
/// shard, one that threads beside the shards share. Adding costs a plain addition; reading adds the
/// cells up, and is exact when nobody writes. Wraps around.
class Counter {
  public:
    /// With a cell for each shard of the current runtime, or for each core when there is none.
    Counter();
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;

    void add(std::int64_t by = 1) {
        const detail::Shard* shard = detail::Shard::current();
        if (shard && shard->index() < own_) [[likely]] {
            // Nobody else writes this cell, so no read-modify-write is needed.
            std::atomic<std::uint64_t>& cell = cells_[shard->index()].value;
            cell.store(cell.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(by),
                       std::memory_order_relaxed);
        } else {
            cells_[own_].value.fetch_add(static_cast<std::uint64_t>(by), std::memory_order_relaxed);
        }
    }
    std::int64_t value() const;

  private:
    struct alignas(64) Cell {
        std::atomic<std::uint64_t> value{0};
    };
    std::size_t own_;
    std::unique_ptr<Cell[]> cells_;  ///< own_ + 1; the last is shared
};

}  // namespace bennu
