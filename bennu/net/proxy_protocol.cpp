#include "bennu/net/proxy_protocol.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "bennu/base/ascii.hpp"

namespace bennu::net {

namespace {

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view word = "PROXY ";
constexpr std::size_t line_limit = 107;  // of version 1, with its CR LF
constexpr ProxyHeader malformed{.kind = ProxyHeader::Kind::malformed};

/// A field up to the next space, or to the end of the line for the last one.
std::string_view take(std::string_view& line) {
    std::size_t end = std::min(line.find(' '), line.size());
    std::string_view field = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return field;
}

bool is_address(int family, std::string_view text) {
    std::array<char, 16> binary;
    return text.size() < 64 && ::inet_pton(family, std::string(text).c_str(), binary.data()) == 1;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    unsigned value = 0;
    for (char c : text) {
        if (!is_ascii_digit(c)) return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    if (value > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(value);
}

ProxyHeader read_line(std::string_view input) {
    std::size_t end = input.substr(0, line_limit).find("\r\n");
    if (end == std::string_view::npos) {
        return input.size() >= line_limit ? malformed : ProxyHeader{};
    }
    ProxyHeader header{.kind = ProxyHeader::Kind::done, .consumed = end + 2};
    std::string_view line = input.substr(word.size(), end - word.size());
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return header;
    if (std::ranges::count(line, ' ') != 4) return malformed;
    std::string_view protocol = take(line);
    int family = protocol == "TCP4" ? AF_INET : protocol == "TCP6" ? AF_INET6 : AF_UNSPEC;
    std::string_view source = take(line), destination = take(line);
    auto port = read_port(take(line));
    if (family == AF_UNSPEC || !is_address(family, source) || !is_address(family, destination) ||
        !port || !read_port(line)) {
        return malformed;
    }
    header.client = SocketAddress{std::string(source), *port};
    return header;
}

std::uint16_t big_endian(std::string_view input, std::size_t at) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(input[at]) << 8 |
                                      static_cast<unsigned char>(input[at + 1]));
}

ProxyHeader read_binary(std::string_view input) {
    if (input.size() < 16) return {};
    auto command = static_cast<unsigned char>(input[12]);
    auto family = static_cast<unsigned char>(input[13]);
    std::size_t size = big_endian(input, 14);
    if (command >> 4 != 2 || (command & 0x0f) > 1 || family >> 4 > 3 || (family & 0x0f) > 2 ||
        16 + size > proxy_header_limit) {
        return malformed;
    }
    bool v4 = family >> 4 == 1, v6 = family >> 4 == 2;
    std::size_t addresses = v4 ? 12 : v6 ? 36 : family >> 4 == 3 ? 216 : 0;
    bool proxied = (command & 0x0f) == 1;
    if (proxied && size < addresses) return malformed;
    if (input.size() < 16 + size) return {};
    ProxyHeader header{.kind = ProxyHeader::Kind::done, .consumed = 16 + size};
    // A stream of one of the two internets; anything else has no address that we could use.
    if (!proxied || !(v4 || v6) || (family & 0x0f) != 1) return header;
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(v4 ? AF_INET : AF_INET6, input.data() + 16, text.data(), text.size());
    header.client = SocketAddress{text.data(), big_endian(input, 16 + (v4 ? 8 : 32))};
    return header;
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view input) {
    std::string_view front = input.substr(0, signature.size());
    if (signature.starts_with(front))
        return front.size() < signature.size() ? ProxyHeader{} : read_binary(input);
    front = input.substr(0, word.size());
    if (word.starts_with(front))
        return front.size() < word.size() ? ProxyHeader{} : read_line(input);
    return malformed;
}

}  // namespace bennu::net
