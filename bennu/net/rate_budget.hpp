#pragma once

#include <algorithm>
#include <cstdint>

#include "bennu/base/time.hpp"

namespace bennu::net {

/// How often something may happen: so many a second in the long run, and so many beyond that at
/// once.
struct Rate {
    std::uint32_t per_second = 0;  ///< 0: any
    std::uint32_t burst = 0;
};

/// What a peer has used of a rate, in eight bytes: the moment up to which it has spent it.
class RateBudget {
  public:
    /// Counts one; false, and nothing is counted, when that is more than the rate allows.
    bool spend(Rate rate, Instant now) {
        if (rate.per_second == 0) return true;
        const Duration each = std::chrono::nanoseconds(std::chrono::seconds(1)) / rate.per_second;
        const Instant at = std::max(spent_, now);
        if (at - now > each * rate.burst) return false;
        spent_ = at + each;
        return true;
    }

  private:
    Instant spent_;
};

}  // namespace bennu::net
