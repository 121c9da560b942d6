#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "bennu/pubsub/broadcast.hpp"

namespace bennu {

/// What becomes of messages (pushes and broadcasts) for a client that takes them more slowly than
/// they come. Whatever it is, nobody waits for that client. Answers to what it asked, and the ends
/// of channels, are sent under each policy, up to `max_bytes`.
struct OutboxOptions {
    enum class Policy : std::uint8_t {
        /// More than `max_bytes`: the connection ends, and the client comes back by itself.
        disconnect,
        /// While it is slow its messages are dropped. Once it has read everything it gets an event
        /// `resync` on each topic that lost some, with its position when the topic is durable, and
        /// reads its state anew.
        resync,
        /// While it is slow the last message of each key waits for it, and all that have none.
        coalesce,
    };
    Policy policy = Policy::disconnect;
    /// A client is slow from when so much waits that its connection did not take, until it has read
    /// all of it. (By long polling: from the bounds of `LongPollOptions`, until the next poll.) The
    /// largest message that waits is not counted: it may be of any size, and one that reads it is
    /// not slow. What a client missed on durable topics, and presence states, are sent as it takes
    /// them.
    std::uint32_t slow_bytes = 256 * 1024;
    /// More than this, counted likewise, ends the connection.
    std::size_t max_bytes = 4 * 1024 * 1024;
    /// For `coalesce`: messages with equal keys replace each other, on whichever topics they came.
    /// Empty: the message has no key. Runs for each message to a slow client.
    std::function<std::string(const Broadcast&)> key = {};
};

}  // namespace bennu
