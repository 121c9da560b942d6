#pragma once

#include "bennu/net/client/step.hpp"

namespace bennu::net {

struct CircuitOptions {
    /// The last so many outcomes of an origin decide, once there are `at_least`.
    std::size_t window = 50;
    std::size_t at_least = 10;
    /// Opens when so large a part failed (an error, 5xx) or took longer than `slow`.
    double failures = 0.5;
    Duration slow = std::chrono::seconds(20);
    /// How long it stays open before it lets trial requests through, one at a time.
    Duration rest = std::chrono::seconds(15);
    /// So many trials in a row must succeed before it closes.
    int trials = 2;
};

/// A circuit breaker for each origin: while it is open, requests fail at once with `unavailable`,
/// `circuit_open`, instead of adding to the trouble. Put it after `retry`, so that each attempt
/// counts. Shared by all shards. Event: `net.client.circuit` (origin; `open`, `half_open`,
/// `closed`).
StepPtr circuit_breaker(CircuitOptions options = {});

}  // namespace bennu::net
