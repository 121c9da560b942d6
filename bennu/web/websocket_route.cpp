#include "bennu/web/websocket_route.hpp"

#include "bennu/net/websocket_handshake.hpp"

namespace bennu {

Response websocket(const Conn& conn, std::unique_ptr<net::WebSocketHandler> handler,
                   WebSocketAnswer answer) {
    auto check = net::check_websocket_request(conn.head());
    if (!check.ok) {
        return error_status(conn, check.refusal.status, check.refusal.code, check.refusal.message);
    }
    Response response(101);
    response.headers = net::accept_websocket(
        check.request, net::select_protocol(check.request, answer.protocols), answer.options);
    response.websocket =
        std::make_unique<net::WebSocketUpgrade>(std::move(handler), std::move(answer.options));
    return response;
}

}  // namespace bennu
