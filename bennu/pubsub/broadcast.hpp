#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/pubsub/payload.hpp"
#include "bennu/pubsub/topic.hpp"

namespace bennu {

/// Where a message stands in a durable topic: who numbered it (`epoch`, one run of one node's log),
/// and its number there, from 1.
struct Mark {
    std::string epoch;
    std::uint64_t sequence = 0;
    explicit operator bool() const { return sequence != 0; }
};

/// A published message, as subscribers receive it: one word that all of them share, on every shard.
/// The payload is encoded once, and framed once for each wire format that some subscriber needs.
class Broadcast {
  public:
    Broadcast() = default;
    /// With a binary payload topic and event have at most 255 bytes; more is a fault.
    Broadcast(Topic topic, std::string_view event, const Payload& payload);
    /// Of a durable topic; `data` is an object that ends with the mark (`pubsub/mark.hpp`).
    Broadcast(Topic topic, std::string event, std::string data, Mark mark);

    const Topic& topic() const;
    std::string_view event() const;
    bool is_binary() const;
    /// False unless the message is one of a durable topic.
    const Mark& mark() const;
    /// The payload as JSON text, or its bytes when it is binary.
    std::string_view data() const;
    /// The payload as a value, parsed on first use, once for all subscribers; null when it is
    /// binary.
    const Json& payload() const;
    template <Record T>
    Result<T> payload_as() const {
        return bennu::payload_as<T>(payload(), {.unknown = Unknown::ignore});
    }

    /// The wire formats that are cached beside the message: frames of WebSockets, and bare text.
    enum class Wire : std::uint8_t { phoenix_v1, phoenix_v2, phoenix_v1_text, phoenix_v2_text };
    /// The message in a wire format; `encode` runs once, for the first subscriber on any shard.
    const std::string& encoded(Wire wire, std::string (*encode)(const Broadcast&)) const;

  private:
    struct Encoding {
        std::once_flag once;
        std::string text;
    };
    struct Data {
        Topic topic;
        std::string event;
        std::string data;
        bool binary = false;
        Mark mark = {};
        // Filled by the first subscriber that asks, on whichever shard; the others wait for these
        // microseconds.
        mutable std::once_flag parsed = {};
        mutable Json payload = {};
        mutable std::array<Encoding, 4> encodings = {};
    };
    Shared<Data> data_;
};

}  // namespace bennu
