#pragma once

#include <utility>

#include "bennu/pubsub/node_shards.hpp"
#include "bennu/pubsub/topic.hpp"

namespace bennu::pubsub::detail {

/// The shard that has the say about a durable topic on this node.
inline std::uint8_t owner_of(const Topic& topic) {
    return node_shards().of(std::hash<Topic>()(topic));
}

/// Runs a job on the shard that owns the topic, at once when it is this one; jobs from one shard
/// keep their order.
template <typename Job>
void on_owner(const Topic& topic, Job job) {
    const std::uint8_t owner = owner_of(topic);
    if (owner == shard_index()) {
        job();
    } else {
        post(owner, std::move(job));
    }
}

}  // namespace bennu::pubsub::detail
