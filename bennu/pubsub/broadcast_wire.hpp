#pragma once

#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/pubsub/broadcast.hpp"

namespace bennu {

/// A broadcast as bytes, for other nodes: `version 1 · flags (1: binary, 2: of a durable topic, so
/// that its data ends with its mark) · length of topic, u16 LE · length of event, u16 LE · topic ·
/// event · data`.
std::string encode_broadcast(const Broadcast& broadcast);
/// Error `invalid` for anything else; the data of one that is not binary is trusted to be JSON.
Result<Broadcast> decode_broadcast(std::string_view bytes);

}  // namespace bennu
