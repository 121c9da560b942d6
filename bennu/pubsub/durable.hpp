#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/json.hpp"
#include "bennu/base/time.hpp"
#include "bennu/pubsub/broadcast.hpp"
#include "bennu/pubsub/topic.hpp"

/// Durable topics: each node keeps the last messages of such a topic in memory, so that a
/// subscriber that was away gets exactly what it missed, or is told that it cannot (`resync`: it
/// reads its state anew). The messages of a topic are numbered, and kept, by one shard of each
/// node; they reach all subscribers of the node in one order.
namespace bennu::pubsub {

/// How much of a topic is kept, whichever bound is reached first.
struct DurableOptions {
    std::size_t keep = 1000;
    Duration keep_for = std::chrono::minutes(10);
    /// Of payloads and the frames made of them.
    std::size_t max_bytes = 1024 * 1024;
    /// The topic is forgotten so long after its last message, unless somebody is subscribed.
    Duration forget_after = std::chrono::minutes(10);
};

/// What a subscriber has seen: the last sequence of each epoch. 0: nothing of it yet.
using Position = std::map<std::string, std::uint64_t, std::less<>>;
Json to_json_value(const Position& position);
/// Nothing when it is no position, or one of more than 256 epochs.
std::optional<Position> read_position(const Json& json);

/// From now on `broadcast` numbers and keeps the messages of topics that fit the pattern (as of
/// `topic_matches`; the first declared pattern that fits counts). Payloads that are no objects have
/// no place for a number: they go out in their turn, but are not kept. `local_broadcast` stays
/// local and is not kept. Every node should declare it. Declaring a pattern again replaces its
/// options for topics that are not in use.
void make_durable(std::string pattern, DurableOptions options = {});
bool is_durable(std::string_view topic);

/// What a subscriber is told when it begins.
struct Resumption {
    enum class Kind : std::uint8_t {
        fresh,    ///< nothing was asked
        resumed,  ///< `missed` is all that it missed
        resync,   ///< what it missed cannot be given completely: it reads its state anew
    };
    Kind kind = Kind::fresh;
    /// Where the subscriber stands: before `missed`.
    Position position;
    std::vector<Broadcast> missed;
};
std::string_view to_string(Resumption::Kind kind);

/// Hands to `begin` what a subscriber with this position missed; without one, it is new. `begin`
/// runs on this shard, outside of any process, exactly between the messages that it is told about
/// and those that come next: who subscribes in it has no hole and no double. On a topic that is not
/// durable everybody is new.
void resume(const Topic& topic, std::optional<Position> seen, Function<void(Resumption)> begin);

/// To all subscribers of a durable topic, when something was lost between nodes: `{"position"}`.
inline constexpr std::string_view resync_event = "resync";
Json resync_payload(const Position& position);

/// For adapters, on any shard: what another node's `PubSubAdapter::publish` took.
void receive(const Broadcast& broadcast);
/// For adapters, on any shard: messages from or to other nodes may have been lost. Subscribers of
/// durable topics are told.
void lost();

}  // namespace bennu::pubsub
