#pragma once

#include <algorithm>
#include <cstdint>

#include "bennu/base/time.hpp"

namespace bennu::net {

/// How slow a peer may be.
struct PaceLimits {
    Duration timeout;        ///< without a single byte
    Duration grace;          ///< of waiting, before the rate counts
    std::uint32_t rate = 0;  ///< bytes per second of waiting, at least; 0: any
};

/// What one body has cost us in waiting for its peer. Time in which nobody waited does not count.
class Pace {
  public:
    /// How long the next wait may last. Zero or less: the peer is too slow.
    Duration patience(const PaceLimits& limits) const {
        if (limits.rate == 0) return limits.timeout;
        Duration earned = std::chrono::seconds(static_cast<std::int64_t>(bytes_ / limits.rate));
        return std::min(limits.timeout, std::max(limits.grace, earned) - waited_);
    }
    void waited(Duration time) { waited_ += time; }
    void moved(std::uint64_t bytes) { bytes_ += bytes; }

  private:
    Duration waited_{};
    std::uint64_t bytes_ = 0;
};

}  // namespace bennu::net
