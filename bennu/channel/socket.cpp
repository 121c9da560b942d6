#include "bennu/channel/socket.hpp"

#include "bennu/channel/handshake.hpp"
#include "bennu/channel/websocket_transport.hpp"
#include "bennu/web/router.hpp"
#include "bennu/web/websocket_route.hpp"

namespace bennu {

namespace {

/// `https://a.example` as it is; a bare `a.example` for every scheme.
OriginPolicy origin_policy(const SocketOptions& options) {
    OriginPolicy policy{.check = options.check_origin};
    for (const std::string& origin : options.origins) {
        policy.allowed.push_back(origin.find("//") == std::string::npos ? "//" + origin : origin);
    }
    return policy;
}

struct Mounted {
    std::shared_ptr<const SocketOptions> options;
    OriginPolicy origins;
};

Response refuse(const Conn& conn, std::string_view code, std::string_view message) {
    return error_status(conn, 403, code, message);
}

Response refuse(const Conn& conn, const Error& why) {
    if (why.kind() == ErrorKind::unauthorized) return refuse(conn, why.code(), why.message());
    return error(conn, why);
}

Task<Response> open_socket(Conn conn, const Mounted& mounted) {
    if (!origin_allowed(conn, mounted.origins)) {
        co_return refuse(conn, "origin_not_allowed", "sockets from this origin are not allowed");
    }
    const std::string vsn = conn.query<std::string>("vsn").value_or("1.0.0");
    if (!phoenix::speaks_version(vsn)) {
        co_return refuse(conn, "unsupported_version", "this server speaks vsn=2.0.0");
    }
    Result<phoenix::OfferedProtocols> offered =
        phoenix::read_protocols(conn.header("sec-websocket-protocol"));
    if (!offered) co_return refuse(conn, offered.error().code(), offered.error().message());
    if (offered->any && !offered->phoenix) {
        co_return refuse(conn, "unsupported_protocol", "the subprotocol of this socket is phoenix");
    }
    Shared<SocketInfo> info;
    if (mounted.options->connect) {
        Result<Connected> connected =
            co_await mounted.options->connect({.params = conn.query(),
                                               .auth_token = std::move(offered->auth_token),
                                               .headers = conn.head().headers,
                                               .peer = conn.peer()});
        if (!connected) co_return refuse(conn, connected.error());
        if (!connected->id.empty() || connected->assigns.size() > 0) {
            info = make_shared_value<SocketInfo>(std::move(connected->assigns),
                                                 std::move(connected->id));
        }
    }
    const SocketLimits& limits = mounted.options->limits;
    WebSocketAnswer answer{
        .options = {.max_message = limits.max_message, .idle_timeout = limits.idle_timeout}};
    if (offered->phoenix) answer.protocols.push_back("phoenix");
    co_return websocket(
        conn, std::make_unique<phoenix::WebSocketSession>(mounted.options, std::move(info)),
        std::move(answer));
}

}  // namespace

void mount_socket(RouteScope& scope, SocketOptions options) {
    const std::string pattern = options.path + "/websocket";
    auto shared = std::make_shared<const SocketOptions>(std::move(options));
    auto mounted = std::make_shared<const Mounted>(shared, origin_policy(*shared));
    scope.websocket(pattern, [mounted] [[clang::coro_wrapper]] (Conn conn) -> Task<Response> {
        return open_socket(std::move(conn), *mounted);
    });
}

}  // namespace bennu
