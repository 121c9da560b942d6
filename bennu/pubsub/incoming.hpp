#pragma once

#include <cstdint>
#include <string_view>

namespace bennu::pubsub::detail {

/// For adapters that carry bytes: takes what `encode_broadcast` made, or what another node's
/// tracker said, to where it belongs. `from` is what the adapter calls the node it came from.
void take_bytes(std::uint64_t from, std::string_view bytes);

/// Tells everybody on this node that messages of others may be missing: subscribers of durable
/// topics (`lost`), and those of `gap_topic`.
void tell_gap();

}  // namespace bennu::pubsub::detail
