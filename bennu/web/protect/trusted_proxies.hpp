#pragma once

#include <string>
#include <vector>

#include "bennu/web/plug.hpp"
#include "bennu/web/protect/ip_address.hpp"

namespace bennu {

enum class ForwardingHeaders : std::uint8_t {
    x_forwarded,  ///< X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host
    forwarded,    ///< Forwarded (RFC 7239)
};

/// Believes what proxies say about their clients: `conn.remote_ip()`, `conn.scheme()` and
/// `conn.host()` become the client's. Only a connection from one of these addresses is believed,
/// and of the hops that it names only those that trusted proxies vouch for: the client is the last
/// address of the list that is no proxy of ours. Where the proxies do not say it (no
/// X-Forwarded-For, or `unknown`), the client's address is that of the last proxy that is known,
/// and scheme and host are still believed. Only the one family of headers is read; see that the
/// proxy sets it and drops what clients send.
///
/// A plug of the router, which runs it before all others.
class TrustedProxies {
  public:
    /// Addresses and ranges; `unix` for connections through a Unix socket. Mistakes fail the
    /// endpoint's start (`bad_cidr`).
    explicit TrustedProxies(std::vector<std::string> addresses,
                            ForwardingHeaders headers = ForwardingHeaders::x_forwarded);

    Result<> start(const EndpointOptions& endpoint);
    void before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }
    static constexpr bool names_client = true;

  private:
    bool trusted(std::string_view address) const;

    std::vector<std::string> addresses_;
    ForwardingHeaders headers_;
    std::vector<Cidr> ranges_;
    bool unix_ = false;
};

}  // namespace bennu
