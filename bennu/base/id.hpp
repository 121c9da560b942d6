#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/random.hpp"
#include "bennu/base/result.hpp"
#include "bennu/base/time.hpp"

namespace bennu {

/// A UUID. Ours are version 7, so that they sort by time of creation; any version can be read.
struct Id {
    std::array<std::uint8_t, 16> bytes{};

    bool is_nil() const { return *this == Id{}; }
    auto operator<=>(const Id&) const = default;
    bool operator==(const Id&) const = default;
};

/// `0190b1c2-…`, 36 characters, lower case.
std::string to_string(const Id& id);
/// Appends the same 36 characters.
void append_id(std::string& out, const Id& id);
/// Strict: 36 characters with hyphens in place; reads both cases.
Result<Id> parse_id(std::string_view text);

/// A version 7 UUID of that millisecond with 74 random bits.
Id uuid7(Timestamp at, Random& random);
/// When a version 7 id was made; nothing for other versions.
std::optional<Timestamp> created_at(const Id& id);

/// Makes version 7 ids that strictly increase, also within a millisecond and when the clock steps
/// back. One object belongs to one thread.
class IdGenerator {
  public:
    explicit IdGenerator(Random random) : random_(random) {}
    Id next(Timestamp now);

  private:
    Random random_;
    std::int64_t last_ms_ = -1;
    std::uint32_t counter_ = 0;  // 26 bits: rand_a and the top of rand_b
};

}  // namespace bennu

template <>
struct std::hash<bennu::Id> {
    std::size_t operator()(const bennu::Id& id) const noexcept {
        std::uint64_t words[2];
        std::memcpy(words, id.bytes.data(), sizeof words);
        return (words[0] * 0x9e3779b97f4a7c15u) ^ words[1];
    }
};
