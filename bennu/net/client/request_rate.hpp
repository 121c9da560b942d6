#pragma once

#include "bennu/net/client/step.hpp"

namespace bennu::net {

struct RequestRate {
    double per_second = 10;
    double burst = 1;
    /// A request that would have to wait longer fails with `overloaded`, `rate_limited`. It never
    /// waits beyond its deadline.
    Duration longest_wait = std::chrono::seconds(30);
};

/// Keeps to a rate that a server allows, over all shards; requests wait their turn in the order in
/// which they came.
StepPtr request_rate(RequestRate rate);

}  // namespace bennu::net
