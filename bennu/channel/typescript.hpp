#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bennu/channel/channel_types.hpp"

namespace bennu {

/// A TypeScript module with an interface per channel, in the shape that `clients/js` takes, and one
/// for every record and enum that they name, each once, in order of first use: equal input gives
/// equal text. It compiles under `tsc --strict`.
///
/// What the server writes has all of a record's fields, optional ones `T | null`. What a client
/// sends may leave out optional fields, lists and Json: a record for which that makes a difference
/// is written a second time as `NameInput`. Ids, times, dates and durations are strings, money is a
/// number, 64-bit integers are numbers too (exact to 2^53 in JavaScript).
///
/// A Json is `unknown`, unless a channel says what is in it (`ChannelTypes::json`); that holds for
/// all channels of the module.
///
/// What a fetch brings for those who are present is optional there: it may have failed.
///
/// `writer` is named in the first line. Throws std::invalid_argument for two types of one name, and
/// a name that is no TypeScript identifier.
std::string typescript(std::string_view writer, std::span<const ChannelTypes> channels);

}  // namespace bennu
