#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "bennu/base/time.hpp"

namespace bennu::net {

/// How long a shard that looks again and again has waited for those who ask nothing. A look that
/// comes late counts for little: while the machine or the shard was kept from turning, a client may
/// have been, too, or may have been waiting to be heard.
class DrainWatch {
  public:
    static constexpr Duration longest_look = std::chrono::milliseconds(100);

    explicit DrainWatch(Instant began) : looked_(began) {}
    /// Yields the whole time so far.
    Duration look(Instant now) {
        waited_ += std::min(now - std::exchange(looked_, now), longest_look);
        return waited_;
    }

  private:
    Instant looked_;
    Duration waited_ = Duration::zero();
};

}  // namespace bennu::net
