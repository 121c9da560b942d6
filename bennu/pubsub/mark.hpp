#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bennu/pubsub/broadcast.hpp"

namespace bennu::pubsub {

/// What clients find a message's mark under: `"_at": [epoch, sequence]`, the payload's last member.
inline constexpr std::string_view mark_key = "_at";
/// Sequences are numbers that JavaScript can tell apart.
inline constexpr std::uint64_t last_sequence = (std::uint64_t{1} << 53) - 1;

/// 1 to 15 letters, digits, `-` and `_`: an epoch needs no escapes, and no memory of its own.
bool is_epoch(std::string_view text);
/// One that no other has.
std::string new_epoch();

/// JSON text of an object, without a member of that name and without space around it. Nothing when
/// the text is no object.
std::optional<std::string> object_without(std::string json, std::string_view key);
/// Appends a member to what `object_without` gave.
void append_member(std::string& object, std::string_view key, std::string_view value);

/// Makes room for a mark in a payload's JSON text. Nothing when the payload is no object: it has no
/// place for a mark.
inline std::optional<std::string> markable(std::string json) {
    return object_without(std::move(json), mark_key);
}
/// Appends the mark to what `markable` gave.
void append_mark(std::string& object, const Mark& mark);
/// The mark at the end of an object, if there is one.
std::optional<Mark> read_mark(std::string_view object);

}  // namespace bennu::pubsub
