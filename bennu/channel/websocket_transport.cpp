#include "bennu/channel/websocket_transport.hpp"

namespace bennu::phoenix {

namespace {

using net::WebSocketConnection;

WebSocketConnection* connection(Pid socket) {
    return local_body(Ref<WebSocketConnection>(socket));
}

std::string frame_of(const Broadcast& broadcast) {
    std::string message = broadcast_message(broadcast);
    return broadcast.is_binary() ? net::binary_frame(message) : net::text_frame(message);
}

constexpr SocketTransport websocket_transport{
    .send_text =
        [](Pid socket, std::string_view frame) {
            if (WebSocketConnection* to = connection(socket)) to->send_text(frame);
        },
    .send_binary =
        [](Pid socket, std::string_view frame) {
            if (WebSocketConnection* to = connection(socket)) to->send_binary(frame);
        },
    .close =
        [](Pid socket, std::uint16_t code, std::string_view reason) {
            cast(Ref<WebSocketConnection>(socket),
                 WebSocketConnection::CloseWith{.code = code, .reason = std::string(reason)});
        },
    .deliver =
        [](Pid socket, const Broadcast& broadcast) {
            if (WebSocketConnection* to = connection(socket)) {
                to->send_frame(broadcast.encoded(Broadcast::Wire::phoenix_v2, &frame_of));
            }
        },
    .deliver_to_id =
        [](Pid socket, const Broadcast& broadcast) {
            if (broadcast.event() != "disconnect") return;
            cast(Ref<WebSocketConnection>(socket),
                 WebSocketConnection::CloseWith{.code = 1001, .reason = {}});
        },
    .joined =
        [](Pid socket, Pid channel) {
            cast(Ref<WebSocketConnection>(socket),
                 WebSocketConnection::Notify{
                     [channel](WebSocketConnection&, net::WebSocketHandler& handler) {
                         static_cast<WebSocketSession&>(handler).session().joined(channel);
                     }});
        },
};

}  // namespace

WebSocketSession::WebSocketSession(std::shared_ptr<const SocketOptions> options,
                                   Shared<SocketInfo> info)
    : session_(std::move(options), std::move(info), websocket_transport) {}

void WebSocketSession::on_open(WebSocketConnection&) {
    session_.open();
}
void WebSocketSession::on_text(WebSocketConnection&, std::string_view text) {
    session_.on_text(text);
}
void WebSocketSession::on_binary(WebSocketConnection&, std::string_view data) {
    session_.on_binary(data);
}
void WebSocketSession::on_down(WebSocketConnection&, Down down) {
    session_.on_down(down);
}
void WebSocketSession::on_close(WebSocketConnection&, std::uint16_t, std::string_view) {
    session_.close();
}

}  // namespace bennu::phoenix
