#pragma once

#include <memory>

#include "bennu/net/client/transport.hpp"
#include "bennu/net/tls.hpp"

namespace bennu::net {

/// Which addresses a transport may connect to.
enum class Reach : std::uint8_t {
    anywhere,
    public_only,  ///< refuses special-purpose addresses at the moment of the connect
};

struct CurlTransportOptions {
    /// Requests under way to one origin; more wait. Connections are opened as they are needed, and
    /// over HTTP/2 requests share them.
    std::size_t per_origin = 256;
    /// Requests that wait for one origin; more are refused with `overloaded`, `pool_full`.
    std::size_t queue_limit = 10'000;
    /// A request that waited longer fails with `unavailable`, `pool_timeout`.
    Duration queue_timeout = std::chrono::seconds(10);
    /// Connections that are kept open for later, of all origins.
    std::size_t idle_connections = 256;
    /// PEM of the certificates to trust; empty: those of the system.
    std::string authorities = {};
    /// What the client shows of itself to every server that asks for it (mutual TLS); none:
    /// nothing.
    TlsCertificate certificate = {};
    /// `http://host:port` of a proxy. Empty: none; the environment is never asked.
    std::string proxy = {};
    /// Of a streamed body, so much is held for its reader; then the server has to wait.
    std::size_t stream_buffer = 256 << 10;
    Reach reach = Reach::anywhere;
    /// Addresses that `public_only` lets through all the same.
    std::vector<std::string> also_reach = {};
};

/// A transport of libcurl's, driven by one thread of its own: pools of connections, HTTP/1.1,
/// HTTP/2 where TLS agrees on it, compressed answers. Streamed answers and uploads have a
/// connection of their own and HTTP/1.1: the pause of one must not hold up others, and one that
/// breaks unseen must not lose an upload. Made on a shard; goes before the runtime does. In the
/// simulator, where there is no such network, every request fails with `unsupported`.
std::shared_ptr<Transport> make_curl_transport(CurlTransportOptions options = {});

}  // namespace bennu::net
