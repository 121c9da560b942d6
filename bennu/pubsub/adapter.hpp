#pragma once

#include "bennu/pubsub/broadcast.hpp"

namespace bennu {

/// Takes broadcasts to the other nodes. Without one, pub/sub ends at this process. An
/// implementation (a hub between worker processes, Redis, NATS) is shared by all shards and lives
/// as long as the runtime. What other nodes publish, it hands to `pubsub::local_broadcast`, on any
/// shard.
class PubSubAdapter {
  public:
    virtual ~PubSubAdapter() = default;
    /// Sends to every other node, never back to this one. Called on the publisher's shard, in the
    /// publisher's order; it must not block: what cannot be sent now waits in a bounded queue of
    /// the adapter, or is dropped and counted.
    virtual void publish(const Broadcast& broadcast) = 0;
};

}  // namespace bennu
