#include "bennu/net/client/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace bennu::net {

namespace {

constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Range4 {
    std::uint32_t base;
    int bits;
};
// IANA's registry of special-purpose IPv4 addresses, with multicast and the class E.
constexpr Range4 special4[] = {
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared (carrier-grade NAT)
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local, cloud metadata
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0000200, 24},  // documentation
    {0xc01fc400, 24},  // AS112
    {0xc034c100, 24},  // AMT
    {0xc0586300, 24},  // 6to4 relays
    {0xc0a80000, 16},  // private
    {0xc0af3000, 24},  // AS112
    {0xc6120000, 15},  // benchmarks
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 4},   // multicast
    {0xf0000000, 4},   // reserved, broadcast
};

bool special(std::uint32_t address) {
    return std::ranges::any_of(special4, [address](Range4 range) {
        return (address ^ range.base) >> (32 - range.bits) == 0;
    });
}

std::uint32_t word(const std::uint8_t* bytes) {
    return std::uint32_t(bytes[0]) << 24 | std::uint32_t(bytes[1]) << 16 |
           std::uint32_t(bytes[2]) << 8 | bytes[3];
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    IpAddress address;
    const std::string copy(text);
    in_addr four{};
    if (inet_pton(AF_INET, copy.c_str(), &four) == 1) {
        std::memcpy(address.bytes_.data(), mapped, 12);
        std::memcpy(address.bytes_.data() + 12, &four, 4);
        return address;
    }
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes_.data()) == 1) return address;
    return {};
}

std::optional<IpAddress> IpAddress::of(const sockaddr* from) {
    IpAddress address;
    if (from->sa_family == AF_INET) {
        std::memcpy(address.bytes_.data(), mapped, 12);
        std::memcpy(address.bytes_.data() + 12,
                    &reinterpret_cast<const sockaddr_in*>(from)->sin_addr, 4);
        return address;
    }
    if (from->sa_family == AF_INET6) {
        std::memcpy(address.bytes_.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr,
                    16);
        return address;
    }
    return {};
}

bool IpAddress::v4() const {
    return std::equal(std::begin(mapped), std::end(mapped), bytes_.begin());
}

std::string IpAddress::text() const {
    char text[INET6_ADDRSTRLEN];
    if (v4()) {
        inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof text);
    } else {
        inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
    }
    return text;
}

bool IpAddress::special_purpose() const {
    const std::uint8_t* b = bytes_.data();
    if (v4()) return special(word(b + 12));
    const std::uint32_t first = word(b), second = word(b + 4), third = word(b + 8);
    // NAT64 is the one prefix outside of global unicast that reaches public hosts.
    if (first == 0x0064ff9b && second == 0 && third == 0) return special(word(b + 12));
    if ((b[0] & 0xe0) != 0x20) return true;
    if (b[0] == 0x20 && b[1] == 0x02) return special(word(b + 2));   // 6to4
    if (first == 0x20010db8 || first >> 12 == 0x3fff0) return true;  // documentation
    return first >> 9 == 0x20010000 >> 9;  // 2001::/23: Teredo, ORCHID, benchmarks
}

}  // namespace bennu::net
