#pragma once

#include <cstdint>
#include <string>

#include "bennu/pubsub/broadcast.hpp"

namespace bennu {

/// Takes broadcasts to the other nodes. Without one, pub/sub ends at this process. An
/// implementation (a hub between worker processes, Redis, NATS) is shared by all shards and lives
/// as long as the runtime. What other nodes publish, it hands to `pubsub::receive`, in the order of
/// each publisher if it can, always on the same shard; when it knows that something may be missing
/// it says so (`pubsub::lost`).
class PubSubAdapter {
  public:
    virtual ~PubSubAdapter() = default;
    /// Sends to every other node, never back to this one. Called on the publisher's shard, in the
    /// publisher's order; it must not block: what cannot be sent now waits in a bounded queue of
    /// the adapter, or is dropped and counted.
    virtual void publish(const Broadcast& broadcast) = 0;
    /// As `publish`, to the one node that says it is called so (`node`). An adapter that cannot
    /// tell nodes apart sends to every other one.
    virtual void publish_to(std::uint64_t node, const Broadcast& broadcast) {
        (void)node;
        publish(broadcast);
    }
    /// What other nodes call this one in `publish_to`; 0: they cannot.
    virtual std::uint64_t node() const { return 0; }
    /// Sends a message of presence to one node, called what the adapter called it when it handed
    /// its message to `presence::receive`, or (0) to every other node. Such messages may be lost,
    /// doubled, delayed and overtaken; one for another node than the receiver does no harm. An
    /// adapter without it leaves presence to each node.
    virtual void send(std::uint64_t node, std::string message) { (void)node, (void)message; }
};

}  // namespace bennu
