#pragma once

#include <cstdint>
#include <optional>

#include "bennu/base/excerpt.hpp"

namespace bennu::phoenix {

/// What a developer looks for in the log when a client gets nowhere. All of it is something that a
/// client may cause as often as it likes.
enum class Trouble : std::uint8_t {
    unmatched_topic,
    not_joined,
    unknown_event,
    joining_too_fast,
    sending_too_fast,
    too_many_channels,
    overloaded,
    unreadable_frame,
    unreadable_payload,
    too_long,
};

/// Of each kind there is one line a second on each shard: how many were left out since the last
/// one; nothing: leave this one out, too.
std::optional<std::uint64_t> bounded(Trouble kind);

}  // namespace bennu::phoenix
