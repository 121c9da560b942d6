#include "bennu/channel/socket.hpp"

#include "bennu/channel/connect.hpp"
#include "bennu/channel/handshake.hpp"
#include "bennu/channel/longpoll_route.hpp"
#include "bennu/channel/websocket_transport.hpp"
#include "bennu/web/router.hpp"
#include "bennu/web/websocket_route.hpp"

namespace bennu {

namespace {

using phoenix::MountedSocket;

Response refuse(const Conn& conn, std::string_view code, std::string_view message) {
    return error_status(conn, 403, code, message);
}

Task<Response> open_socket(Conn conn, const MountedSocket& mounted) {
    const std::optional<phoenix::Version> version = phoenix::requested_version(conn);
    if (!version) {
        co_return refuse(conn, "unsupported_version", "this server speaks vsn=2.0.0 and 1.0.0");
    }
    Result<phoenix::OfferedProtocols> offered =
        phoenix::read_protocols(conn.header("sec-websocket-protocol"));
    if (!offered) co_return refuse(conn, offered.error().code(), offered.error().message());
    if (offered->any && !offered->phoenix) {
        co_return refuse(conn, "unsupported_protocol", "the subprotocol of this socket is phoenix");
    }
    Result<Shared<SocketInfo>> info =
        co_await phoenix::connect_socket(conn, *mounted.options,
                                         {.auth_token = std::move(offered->auth_token),
                                          .transport = "websocket",
                                          .version = *version});
    if (!info && phoenix::is_forbidden(info.error())) {
        co_return refuse(conn, info.error().code(), info.error().message());
    }
    if (!info) co_return error(conn, info.error());
    const SocketLimits& limits = mounted.options->limits;
    const OutboxOptions& outbox = mounted.options->outbox;
    WebSocketAnswer answer{
        .options = {.max_message = limits.max_message,
                    .idle_timeout = limits.idle_timeout,
                    .max_outbox = outbox.max_bytes,
                    .slow_outbox = outbox.policy == OutboxOptions::Policy::disconnect
                                       ? 0
                                       : std::max(outbox.slow_bytes, 1U),
                    .control_frames_per_second = limits.control_frames_per_second,
                    .control_frame_burst = limits.control_frame_burst,
                    .max_fragments = limits.max_fragments,
                    .deflate = mounted.options->compress}};
    if (offered->phoenix) answer.protocols.push_back("phoenix");
    co_return websocket(
        conn,
        std::make_unique<phoenix::WebSocketSession>(mounted.options, *std::move(info), *version),
        std::move(answer));
}

}  // namespace

void declare_topics(const SocketOptions& options) {
    for (const ChannelRoute& route : options.channels) {
        if (route.options.durable) pubsub::make_durable(route.pattern, *route.options.durable);
        if (route.options.fetch) presence::fetch_with(route.pattern, route.options.fetch);
    }
}

void mount_socket(RouteScope& scope, SocketOptions options) {
    declare_topics(options);
    const std::string path = options.path;
    auto mounted = std::make_shared<const MountedSocket>(std::move(options));
    scope.websocket(path + "/websocket",
                    [mounted] [[clang::coro_wrapper]] (Conn conn) {
                        return open_socket(std::move(conn), *mounted);
                    },
                    {.patient = true, .origins = {.check = false}, .plugs = {mounted->origins}});
    for (net::Method method : {net::Method::head, net::Method::post, net::Method::put,
                               net::Method::patch, net::Method::delete_, net::Method::options}) {
        scope.add(method, path + "/websocket", [](Conn conn) {
            return error_status(conn, 400, "not_a_handshake", "A socket is opened with GET.");
        });
    }
    if (mounted->options->longpoll) phoenix::mount_longpoll(scope, path + "/longpoll", mounted);
}

}  // namespace bennu
