#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"
#include "bennu/pubsub/presence_state.hpp"

namespace bennu::presence::detail {

/// What the trackers of different nodes say to each other.
struct TrackerMessage {
    enum class Kind : std::uint8_t {
        hello = 1,    ///< I am new, or may have missed something: where are you all?
        news = 2,     ///< how far I am, and perhaps what is new, in one group
        request = 3,  ///< `to` shall say what comes after `request`, in one group
        goodbye = 4,  ///< I end, and all my entries with me
    };
    Kind kind = Kind::hello;
    std::uint8_t group = 0;
    ReplicaId from;
    std::uint64_t clock = 0;     ///< news
    std::optional<Delta> delta;  ///< news
    ReplicaId to;                ///< request
    DeltaRequest request;        ///< request
    bool operator==(const TrackerMessage&) const = default;
};

/// The first byte of such a message; broadcasts have another.
inline constexpr char tracker_version = 2;
/// Longer keys and metas stay on their node.
inline constexpr std::size_t longest_key = 4 * 1024;
inline constexpr std::size_t longest_fields = 1024 * 1024;

/// `version 2 · kind · group · from · …`: numbers little-endian, names and texts behind their
/// lengths, `u64 clock · u8 kind of the delta (0: none)` and the delta for news, `to · request` for
/// a request.
std::string encode_tracker_message(const TrackerMessage& message);
/// Error `invalid` for anything else: unknown kinds, bytes left over, dots that do not rise or lie
/// outside of the delta's range, texts that are no members of a JSON object.
Result<TrackerMessage> decode_tracker_message(std::string_view bytes);

/// Kind and group of a message without decoding it, to find who shall.
struct TrackerHead {
    TrackerMessage::Kind kind;
    std::uint8_t group;
};
std::optional<TrackerHead> peek_tracker_message(std::string_view bytes);

}  // namespace bennu::presence::detail
