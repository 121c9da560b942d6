#pragma once

#include <algorithm>
#include <cstdint>

#include "bennu/base/time.hpp"

namespace bennu::net {

/// How much of something a peer may do: so many at once, and so many per second in the long run.
class Allowance {
  public:
    Allowance(std::uint32_t burst, std::uint32_t per_second)
        : burst_(burst), per_second_(per_second), left_(burst) {}

    /// Takes one; false when none is left.
    bool spend(Instant now) {
        if (now > last_) {
            left_ = std::min(
                burst_, left_ + std::chrono::duration<double>(now - last_).count() * per_second_);
            last_ = now;
        }
        if (left_ < 1) return false;
        left_ -= 1;
        return true;
    }
    void give(double count) { left_ = std::min(burst_, left_ + count); }

  private:
    double burst_;
    double per_second_;
    double left_;
    Instant last_;
};

}  // namespace bennu::net
