#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bennu/runtime/reactor/reactor.hpp"

namespace bennu::net {

/// What a proxy says in front of a connection's bytes (PROXY protocol, versions 1 and 2).
struct ProxyHeader {
    enum class Kind : std::uint8_t { need_more, done, malformed };
    Kind kind = Kind::need_more;
    std::size_t consumed = 0;
    /// The client; nothing when the proxy speaks for itself (health checks) or does not know.
    std::optional<SocketAddress> client;
};

/// The most that a header of either version may take here.
inline constexpr std::size_t proxy_header_limit = 4096 + 16;

/// Reads the header at the front of `input`; anything but a proper header is malformed. Any
/// splitting of the bytes gives the same outcome.
ProxyHeader read_proxy_header(std::string_view input);

}  // namespace bennu::net
