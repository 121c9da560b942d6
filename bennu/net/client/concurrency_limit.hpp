#pragma once

#include "bennu/net/client/step.hpp"

namespace bennu::net {

struct ConcurrencyLimit {
    /// Requests under way to one origin. A streamed answer is under way until its body has ended.
    std::size_t per_origin = 16;
    /// Requests that wait for one origin, first come, first served; more fail with `overloaded`,
    /// `queue_full`.
    std::size_t queue_limit = 1000;
    /// A request that waited longer fails with `overloaded`, `queue_timeout`. It never waits beyond
    /// its deadline, where the error is `timeout`.
    Duration longest_wait = std::chrono::seconds(30);
};

/// Spares a server more requests at once than it can bear, over all shards, whatever the transport.
/// Put it after `retry`, so that nobody holds a place while it waits for its next attempt.
StepPtr concurrency_limit(ConcurrencyLimit limit = {});

}  // namespace bennu::net
