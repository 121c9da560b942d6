#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "bennu/base/time.hpp"

namespace bennu {

/// What a limiter enforces: `limit` in each `per`, of which `burst` may come at once.
struct RateRule {
    std::uint32_t limit = 100;
    Duration per = std::chrono::minutes(1);
    std::uint32_t burst = 0;  ///< 0: as many as `limit`
};

struct RateDecision {
    bool allowed = true;
    std::uint32_t remaining = 0;              ///< how many more may come at once
    Duration reset = Duration::zero();        ///< until all of the burst is there again
    Duration retry_after = Duration::zero();  ///< when refused: until one more is allowed
};

/// Rates by key, in a fixed amount of memory that every shard writes without locks: the generic
/// cell rate algorithm, one number per key. In any window W, at most `W / per * limit + burst` are
/// allowed, however the shards interleave.
///
/// A line of seven keys is one cache line; the key that is nearest to its full allowance makes room
/// for a new one when its line is full, so that those who are at their limit stay there. Hashes are
/// seeded by the caller. Two keys share one rate with a chance of about 1 in 150,000.
///
/// Time counts in steps of 10 microseconds, so rates are exact up to some 1,000 per second and key.
/// A clock that jumps back costs a key at most its burst's time.
class GcraTable {
  public:
    /// Room for about so many keys, 8 to 9 bytes each.
    explicit GcraTable(std::size_t keys);
    GcraTable(const GcraTable&) = delete;
    GcraTable& operator=(const GcraTable&) = delete;

    /// Counts one for the key, if it is allowed.
    RateDecision hit(std::uint64_t hash, const RateRule& rule, Instant now);

  private:
    static constexpr std::size_t width = 7;
    struct alignas(64) Line {
        std::atomic<std::uint64_t> cells[width];
        std::atomic<std::uint32_t> adding{0};
    };
    std::atomic<std::uint64_t>& cell_of(Line& line, std::uint64_t tag, std::uint64_t now);

    std::size_t mask_;
    std::unique_ptr<Line[]> lines_;
};

}  // namespace bennu
