#pragma once

#include "bennu/runtime/process.hpp"

namespace bennu::pubsub::detail {

/// The shards of the node that the running code belongs to: all there are, unless a simulation
/// divides them among several nodes (`SimAdapter`). What pub/sub calls a node ends here.
struct NodeShards {
    std::uint8_t first = 0;
    std::uint8_t count = shard_count();

    std::uint8_t end() const { return static_cast<std::uint8_t>(first + count); }
    /// The same one for the same hash, on each shard of the node.
    std::uint8_t of(std::size_t hash) const {
        return static_cast<std::uint8_t>(first + hash % count);
    }
};

inline const NodeShards& node_shards() {
    return shard_local<NodeShards>();
}

}  // namespace bennu::pubsub::detail
