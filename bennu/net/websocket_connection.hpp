#pragma once

#include "bennu/net/connection_table.hpp"
#include "bennu/net/tcp_stream.hpp"
#include "bennu/net/websocket.hpp"
#include "bennu/net/websocket_frame.hpp"

namespace bennu::net {

/// How a WebSocket's process begins: with a socket that an HTTP connection hands over, or one that
/// is connecting.
struct WebSocketConnection::Start {
    TcpStream stream;
    std::unique_ptr<WebSocketHandler> handler;
    WebSocketOptions options;
    std::shared_ptr<ConnectionTable> table;
    std::string input;  ///< bytes that came right behind the handshake
    SocketAddress peer;
    std::uint32_t address = 0;  ///< the connection's slot in the counts of its table
    WebSocketDecoder::Role role = WebSocketDecoder::Role::server;
    std::string handshake_key;  ///< clients: of the handshake whose answer is still to come
    std::vector<std::string> protocols;
    Duration connect_timeout = Duration::zero();
};

Ref<WebSocketConnection> start_websocket(WebSocketConnection::Start start);

}  // namespace bennu::net
