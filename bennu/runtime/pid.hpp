#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace bennu {

/// The address of a process: which shard, which slot there, and which of the slot's successive
/// tenants. A Pid never dangles: sending to a process that is gone is harmless.
/// Default-constructed: nobody.
class Pid {
  public:
    constexpr Pid() = default;
    constexpr Pid(std::uint8_t shard, std::uint32_t slot, std::uint32_t generation)
        : place_(std::uint32_t{shard} << 24 | slot), generation_(generation) {}

    constexpr std::uint8_t shard() const { return static_cast<std::uint8_t>(place_ >> 24); }
    constexpr std::uint32_t slot() const { return place_ & 0xFFFFFF; }
    constexpr std::uint32_t generation() const { return generation_; }
    constexpr explicit operator bool() const { return generation_ != 0; }
    constexpr auto operator<=>(const Pid&) const = default;
    constexpr std::uint64_t bits() const { return std::uint64_t{place_} << 32 | generation_; }
    static constexpr Pid from_bits(std::uint64_t bits) {
        Pid pid;
        pid.place_ = static_cast<std::uint32_t>(bits >> 32);
        pid.generation_ = static_cast<std::uint32_t>(bits);
        return pid;
    }
    /// `<shard.slot.generation>`
    std::string to_string() const;

  private:
    std::uint32_t place_ = 0;
    std::uint32_t generation_ = 0;
};

/// A Pid that remembers which kind of server it addresses, so that only messages which that server
/// handles compile.
template <typename Server>
class Ref {
  public:
    constexpr Ref() = default;
    constexpr explicit Ref(Pid pid) : pid_(pid) {}
    constexpr Pid pid() const { return pid_; }
    constexpr explicit operator bool() const { return static_cast<bool>(pid_); }
    constexpr auto operator<=>(const Ref&) const = default;

  private:
    Pid pid_;
};

}  // namespace bennu

template <>
struct std::hash<bennu::Pid> {
    std::size_t operator()(const bennu::Pid& pid) const noexcept {
        return static_cast<std::size_t>(pid.bits() * 0x9E3779B97F4A7C15ULL);
    }
};
