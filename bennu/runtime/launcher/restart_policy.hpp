#pragma once

#include <chrono>
#include <deque>

#include "bennu/base/random.hpp"
#include "bennu/base/time.hpp"

namespace bennu {

struct RestartPolicyOptions {
    unsigned at_once = 3;  ///< unexpected ends within `window` that are answered without delay
    Duration window = std::chrono::seconds(5);
    Duration first_delay = std::chrono::milliseconds(100);
    Duration max_delay = std::chrono::seconds(30);
    /// When no node stayed up this long although it was tried for as long, the launcher gives up.
    Duration give_up_after = std::chrono::seconds(60);
};

/// Decides how long to wait before a node that ended unexpectedly is started again.
class RestartPolicy {
  public:
    RestartPolicy(RestartPolicyOptions options, std::uint64_t seed)
        : options_(options), random_(seed) {}

    struct Decision {
        bool give_up = false;
        Duration delay = Duration::zero();
    };
    /// The node that was started at `started` ended at `ended`.
    Decision ended(Instant started, Instant ended);

  private:
    RestartPolicyOptions options_;
    Random random_;
    std::deque<Instant> recent_;
    unsigned delays_ = 0;
    Instant failing_since_ = Instant::max();
};

}  // namespace bennu
