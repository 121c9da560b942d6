#pragma once

#include <vector>

#include "bennu/base/random.hpp"
#include "bennu/runtime/supervisor/child_spec.hpp"

namespace bennu::detail {

/// Counts restarts against one budget.
class RestartMeter {
  public:
    /// Notes one more restart; false when it is one too many.
    bool spend(const RestartBudget& budget, Instant now);
    /// How many are left just now.
    unsigned left(const RestartBudget& budget, Instant now) const;

  private:
    std::vector<Instant> recent_;  ///< few; most children never restart
};

/// How long the n-th restart in a row waits: nothing for the first, then the back-off, doubled each
/// time up to its limit, less a random part of at most `jitter` of it.
Duration restart_delay(const RestartBudget& budget, unsigned in_a_row, Random& random);

}  // namespace bennu::detail
