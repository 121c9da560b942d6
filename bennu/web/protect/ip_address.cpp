#include "bennu/web/protect/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace bennu {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char copy[INET6_ADDRSTRLEN + 1] = {};
    if (text.size() >= sizeof copy || text.contains('\0')) return std::nullopt;
    text.copy(copy, text.size());
    IpAddress address;
    if (text.contains(':')) {
        if (inet_pton(AF_INET6, copy, address.bytes_.data()) != 1) return std::nullopt;
        return address;
    }
    std::ranges::copy(v4_prefix, address.bytes_.begin());
    if (inet_pton(AF_INET, copy, address.bytes_.data() + v4_prefix.size()) != 1) {
        return std::nullopt;
    }
    return address;
}

bool IpAddress::is_v4() const {
    return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes_.begin());
}

IpAddress IpAddress::network(unsigned bits) const {
    IpAddress network = *this;
    if (is_v4()) bits += 96;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
        unsigned kept =
            bits > i * 8 ? std::min<unsigned>(bits - static_cast<unsigned>(i) * 8, 8) : 0;
        network.bytes_[i] &= static_cast<std::uint8_t>(0xff00 >> kept);
    }
    return network;
}

std::string IpAddress::to_string() const {
    char text[INET6_ADDRSTRLEN];
    if (is_v4()) {
        inet_ntop(AF_INET, bytes_.data() + v4_prefix.size(), text, sizeof text);
    } else {
        inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
    }
    return text;
}

Result<Cidr> Cidr::parse(std::string_view text) {
    const Error bad(ErrorKind::invalid, "bad_cidr",
                    std::string(text) + ": is no range of addresses such as 10.0.0.0/8");
    std::size_t slash = text.find('/');
    std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
    if (!address) return bad;
    Cidr range;
    range.network_ = *address;
    const unsigned most = address->is_v4() ? 32 : 128;
    range.bits_ = most;
    if (slash != std::string_view::npos) {
        std::string_view bits = text.substr(slash + 1);
        auto [end, failure] = std::from_chars(bits.begin(), bits.end(), range.bits_);
        if (failure != std::errc() || end != bits.end() || range.bits_ > most) return bad;
        if (bits.size() > 1 && bits.front() == '0') return bad;
    }
    if (range.network_.network(range.bits_) != range.network_) return bad;
    return range;
}

bool Cidr::contains(const IpAddress& address) const {
    return address.is_v4() == network_.is_v4() && address.network(bits_) == network_;
}

}  // namespace bennu
