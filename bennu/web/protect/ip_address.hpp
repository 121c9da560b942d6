#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu {

/// An IPv4 or IPv6 address. One of IPv4 that is written as IPv6 (`::ffff:192.0.2.1`) is the IPv4
/// address: there is one form of each.
class IpAddress {
  public:
    /// Strict: no leading zeros, no ports, no brackets, no zones. Nothing when it is none.
    static std::optional<IpAddress> parse(std::string_view text);

    bool is_v4() const;
    /// 16 bytes; an IPv4 address is in the last four.
    const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
    /// The network that its first `bits` (of 32 or 128) make.
    IpAddress network(unsigned bits) const;
    std::string to_string() const;
    bool operator==(const IpAddress&) const = default;

  private:
    std::array<std::uint8_t, 16> bytes_{};
};

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single one.
class Cidr {
  public:
    /// Error `bad_cidr`; also when bits beyond the prefix are set, which is a slip of the pen.
    static Result<Cidr> parse(std::string_view text);
    bool contains(const IpAddress& address) const;

  private:
    IpAddress network_;
    unsigned bits_ = 0;
};

}  // namespace bennu
