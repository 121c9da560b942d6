#pragma once

#include "bennu/net/connection_table.hpp"
#include "bennu/net/tcp_stream.hpp"
#include "bennu/net/websocket.hpp"
#include "bennu/net/websocket_carrier.hpp"
#include "bennu/net/websocket_frame.hpp"

namespace bennu::net {

/// How a WebSocket's process begins: with a socket that an HTTP connection hands over, one that is
/// connecting, or a carrier in the place of a socket.
struct WebSocketConnection::Start {
    TcpStream stream = TcpStream(-1);
    std::unique_ptr<WebSocketCarrier> carrier = nullptr;
    std::unique_ptr<WebSocketHandler> handler;
    WebSocketOptions options;
    std::shared_ptr<ConnectionTable> table;
    std::string input;  ///< bytes that came right behind the handshake
    SocketAddress peer;
    ConnectionSeat seat = {};
    WebSocketDecoder::Role role = WebSocketDecoder::Role::server;
    std::string handshake_key;  ///< clients: of the handshake whose answer is still to come
    std::vector<std::string> protocols;
    Duration connect_timeout = Duration::zero();
};

Ref<WebSocketConnection> start_websocket(WebSocketConnection::Start start);

}  // namespace bennu::net
