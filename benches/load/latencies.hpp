#pragma once

#include <cstdint>
#include <vector>

namespace bench {

using Nanoseconds = std::int64_t;

/// Of the monotonic clock.
Nanoseconds now();

/// Every latency of a run, four bytes each, so that a percentile is the true one.
class Latencies {
  public:
    void add(Nanoseconds latency) {
        constexpr Nanoseconds most = UINT32_MAX;
        all_.push_back(static_cast<std::uint32_t>(latency < most ? latency : most));
    }
    void clear() { all_.clear(); }
    std::size_t count() const { return all_.size(); }
    /// In microseconds; `part` is between 0 and 1. Reorders, so call it after the run.
    double percentile(double part);

  private:
    std::vector<std::uint32_t> all_;
};

}  // namespace bench
