#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bennu::device {

/// Where a socket is: `wss://host[:port]/path`. The path is the one that the server mounted the
/// socket at; `/websocket` is added.
struct SocketUrl {
    bool secure = true;
    std::string host;  ///< a name or an address, without the brackets of IPv6
    std::uint16_t port = 443;
    std::string path = "/";

    /// `host[:port]` as a Host header has it.
    std::string authority() const;
    /// Path and query of the handshake, with parameters percent-encoded.
    std::string target(const std::vector<std::pair<std::string, std::string>>& params) const;
};

/// Nothing unless it is a `ws` or `wss` URL without user, query and fragment, in the characters
/// that may stand in one.
std::optional<SocketUrl> parse_url(std::string_view url);

}  // namespace bennu::device
