#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>

namespace bennu {

namespace detail {
/// Spread evenly, and the same on every machine and in every run.
std::uint64_t stable_hash(std::string_view key);
std::uint64_t stable_hash(std::uint64_t key);
std::uint8_t shard_of_hash(std::uint64_t hash);
}  // namespace detail

/// The shard with the least to do: few processes, little that is due. Processes that were placed
/// this way a moment ago count already. On a tie, this one; then the next.
std::uint8_t least_loaded_shard();

/// Equal keys go to the same shard, for as long as the number of shards stays.
inline std::uint8_t shard_for(std::string_view key) {
    return detail::shard_of_hash(detail::stable_hash(key));
}
inline std::uint8_t shard_for(std::integral auto key) {
    return detail::shard_of_hash(detail::stable_hash(static_cast<std::uint64_t>(key)));
}

/// Where a process is to live. A value to keep, in a child's options for instance: it is decided
/// each time that one is started.
class Placement {
  public:
    enum class Kind : std::uint8_t { here, shard, key, least_loaded };

    constexpr Placement() = default;
    constexpr explicit Placement(Kind kind, std::uint64_t value = 0) : kind_(kind), value_(value) {}
    constexpr Kind kind() const { return kind_; }
    /// The shard to take now. Call on a shard.
    std::uint8_t choose() const;

  private:
    Kind kind_ = Kind::here;
    std::uint64_t value_ = 0;
};

namespace place {

/// Where it is asked for: on the spawner's shard.
inline constexpr Placement here{};
inline constexpr Placement least_loaded{Placement::Kind::least_loaded};
/// Modulo the number of shards.
constexpr Placement shard(std::uint8_t index) {
    return Placement(Placement::Kind::shard, index);
}
inline Placement by_key(std::string_view key) {
    return Placement(Placement::Kind::key, detail::stable_hash(key));
}
inline Placement by_key(std::integral auto key) {
    return Placement(Placement::Kind::key, detail::stable_hash(static_cast<std::uint64_t>(key)));
}

}  // namespace place
}  // namespace bennu
