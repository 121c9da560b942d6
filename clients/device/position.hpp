#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bennu::device {

/// What was seen of a durable topic: for each run of a node the number of its last message.
using Position = std::map<std::string, std::int64_t, std::less<>>;

/// How a join went on from what was seen before.
enum class Continuation {
    fresh,    ///< nothing was asked: the first join, or no durable topic
    resumed,  ///< exactly what was missed follows as ordinary events
    resync,   ///< what was missed cannot be given: read the state anew
};

/// `{"e1": 17}`; anything else reads as an empty position.
Position read_position(std::string_view json);
std::string write_position(const Position& position);

/// What a join replied about what was seen before.
struct JoinedAt {
    Continuation how = Continuation::fresh;
    /// The topic is durable: the next join asks for what it missed, were it from the topic's first
    /// message on.
    bool durable = false;
    /// Of a resumed join where the replay begins, of others where the topic is now.
    Position position;
};
/// Whether the join named a position.
enum class Asked { no, yes };
JoinedAt read_join(std::string_view response, Asked asked);

/// Whether a message was not handled before; one without a number (`"_at": [epoch, sequence]`)
/// always is new.
bool is_new(const Position& position, std::string_view payload);
/// Notes that a message was handled.
void note_handled(Position& position, std::string_view payload);

}  // namespace bennu::device
