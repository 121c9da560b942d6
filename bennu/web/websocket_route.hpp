#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bennu/web/conn.hpp"

namespace bennu {

struct WebSocketAnswer {
    net::WebSocketOptions options = {};
    /// The subprotocols that the handler speaks, by preference; the client's first match is chosen.
    std::vector<std::string_view> protocols = {};
};

/// Turns the connection into a WebSocket served by `handler`. For actions of `websocket` routes,
/// where the handshake was checked already.
Response websocket(const Conn& conn, std::unique_ptr<net::WebSocketHandler> handler,
                   WebSocketAnswer answer = {});

/// Which pages of other sites may connect. Browsers do not protect WebSockets as they do requests,
/// so this check does.
struct OriginPolicy {
    /// `https://app.example`, `//app.example` (any scheme), `//*.example` (its subdomains).
    std::vector<std::string> allowed = {};
    bool check = true;
};

/// True for a page of the same host and port, for an allowed one, and for clients that are no
/// browser (no Origin header).
bool origin_allowed(const Conn& conn, const OriginPolicy& policy = {});

}  // namespace bennu
