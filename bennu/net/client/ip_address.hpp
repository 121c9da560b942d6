#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace bennu::net {

/// A numeric address. IPv4 is kept as `::ffff:a.b.c.d`, so that equal addresses are equal.
class IpAddress {
  public:
    /// Dotted IPv4 or IPv6 without brackets; no other spelling.
    static std::optional<IpAddress> parse(std::string_view text);
    static std::optional<IpAddress> of(const sockaddr* address);

    bool v4() const;
    std::string text() const;
    /// Whether it is in a range that IANA reserves (this host, private, link-local, shared,
    /// documentation, multicast…), directly or as the IPv4 address inside a mapped, compatible,
    /// NAT64, 6to4 or Teredo one. Of IPv6 only global unicast (2000::/3) is not.
    bool special_purpose() const;

    bool operator==(const IpAddress&) const = default;

  private:
    std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace bennu::net
