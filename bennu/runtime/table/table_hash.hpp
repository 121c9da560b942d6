#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace bennu {

/// Spreads a number over all 64 bits: tables use the high bits, the low bits and some between.
constexpr std::uint64_t mix_hash(std::uint64_t x) {
    x ^= x >> 32;
    x *= 0xE9846AF9B1A615DULL;
    x ^= x >> 32;
    x *= 0xE9846AF9B1A615DULL;
    x ^= x >> 28;
    return x;
}

/// The hash of a table's keys. Text is hashed as text, whatever type holds it; other types use
/// `std::hash`. Specialise it for a key type that has none.
template <typename Key>
struct TableHash {
    std::uint64_t operator()(const Key& key) const {
        if constexpr (std::is_integral_v<Key> || std::is_enum_v<Key>) {
            return mix_hash(static_cast<std::uint64_t>(key));
        } else if constexpr (std::is_convertible_v<const Key&, std::string_view>) {
            return mix_hash(std::hash<std::string_view>{}(std::string_view(key)));
        } else {
            return mix_hash(std::hash<Key>{}(key));
        }
    }
};

namespace detail {
/// What look-ups take: text keys are found by any text, without making a string of it.
template <typename Key>
using LookupKey = std::conditional_t<
    std::is_same_v<Key, std::string>, std::string_view,
    std::conditional_t<std::is_trivially_copyable_v<Key> && sizeof(Key) <= 16, Key, const Key&>>;
}  // namespace detail

}  // namespace bennu
