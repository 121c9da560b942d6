#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bennu/web/conn.hpp"
#include "bennu/web/origin.hpp"

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

}  // namespace bennu
