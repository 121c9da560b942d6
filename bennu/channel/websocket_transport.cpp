#include "bennu/channel/websocket_transport.hpp"

#include "bennu/net/websocket_frame.hpp"

namespace bennu::phoenix {

namespace {

using net::WebSocketConnection;

WebSocketConnection* connection(Pid socket) {
    return local_body(Ref<WebSocketConnection>(socket));
}

SocketSession& session_of(WebSocketConnection& connection) {
    return static_cast<WebSocketSession&>(connection.handler()).session();
}

void hold(WebSocketConnection& to, const Broadcast& broadcast, std::string frame = {}) {
    if (session_of(to).hold(broadcast, std::move(frame))) return;
    // Not from here: the caller may be in the middle of a fan-out.
    cast(to.ref(), WebSocketConnection::Overdue{});
}

template <Version V>
std::string frame_of(const Broadcast& broadcast) {
    std::string message = broadcast_message(V, broadcast);
    return broadcast.is_binary() ? net::binary_frame(message) : net::text_frame(message);
}

template <Version V>
void write_to(WebSocketConnection& to, const Broadcast& broadcast) {
    to.send_frame(broadcast.encoded(
        V == Version::v1 ? Broadcast::Wire::phoenix_v1 : Broadcast::Wire::phoenix_v2,
        &frame_of<V>));
}

template <Version V>
constexpr SocketTransport websocket_transport{
    .name = "websocket",
    .version = V,
    .binary = V == Version::v2,
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
            if (V == Version::v1 && broadcast.is_binary()) return;
            WebSocketConnection* to = connection(socket);
            if (!to) return;
            if (to->slow()) [[unlikely]]
                return hold(*to, broadcast);
            write_to<V>(*to, broadcast);
        },
    .write =
        [](Pid socket, const Broadcast& broadcast) {
            if (WebSocketConnection* to = connection(socket)) write_to<V>(*to, broadcast);
        },
    .deliver_to_id =
        [](Pid socket, const Broadcast& broadcast) {
            if (broadcast.event() != "disconnect") return;
            cast(Ref<WebSocketConnection>(socket),
                 WebSocketConnection::CloseWith{.code = 1001, .reason = {}});
        },
    .slow =
        [](Pid socket) {
            WebSocketConnection* to = connection(socket);
            return to && to->slow();
        },
    .behind =
        [](Pid socket) {
            WebSocketConnection* to = connection(socket);
            return to && to->outbox_bytes() > 0;
        },
    .hold =
        [](Pid socket, const Broadcast& message, std::string frame) {
            if (WebSocketConnection* to = connection(socket)) hold(*to, message, std::move(frame));
        },
    .caught_up =
        [](Pid socket) {
            if (WebSocketConnection* to = connection(socket)) to->caught_up();
        },
    .room =
        [](Pid socket) {
            WebSocketConnection* to = connection(socket);
            return to ? session_of(*to).room(to->slow(), to->outbox_bytes()) : SocketRoom{};
        },
    .when_taken =
        [](Pid socket, Function<void()> then) {
            WebSocketConnection* to = connection(socket);
            if (!to) return;
            session_of(*to).when_taken(std::move(then));
            to->tell_when_drained();
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
                                   Shared<SocketInfo> info, Version version)
    : session_(std::move(options), std::move(info),
               version == Version::v1 ? websocket_transport<Version::v1>
                                      : websocket_transport<Version::v2>) {}

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
void WebSocketSession::on_drained(WebSocketConnection&) {
    session_.drained();
}
void WebSocketSession::on_close(WebSocketConnection&, std::uint16_t code, std::string_view why) {
    // A client may close with that code, too.
    const bool ours = why == net::message_too_big || why == net::message_grows_too_much;
    if (ours && code == net::close_code::too_big) session_.too_long(why);
    session_.close();
}

}  // namespace bennu::phoenix
