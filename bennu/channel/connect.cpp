#include "bennu/channel/connect.hpp"

#include <stdexcept>

#include "bennu/base/events.hpp"
#include "bennu/channel/handshake.hpp"
#include "bennu/channel/stopwatch.hpp"
#include "bennu/web/protect/forgery.hpp"
#include "bennu/web/session/session.hpp"

namespace bennu {

std::string_view ConnectRequest::user_agent() const {
    return headers.get("user-agent");
}

std::vector<net::Headers::Field> ConnectRequest::x_headers() const {
    std::vector<net::Headers::Field> fields;
    for (net::Headers::Field field : headers) {
        if (field.name.starts_with("x-") || field.name.starts_with("X-")) fields.push_back(field);
    }
    return fields;
}

namespace phoenix {

namespace {

constinit EventName socket_connected{"channel.socket_connected"};

/// Stands in the frame of a handshake: whatever ends that, telemetry hears of it.
class ConnectEvent {
  public:
    ConnectEvent(const Conn& conn, const Handshake& handshake)
        : path_(conn.path()), transport_(handshake.transport), version_(handshake.version) {}
    ConnectEvent(const ConnectEvent&) = delete;
    ConnectEvent& operator=(const ConnectEvent&) = delete;
    ~ConnectEvent() { end("ended"); }

    void end(std::string_view outcome) {
        if (std::exchange(told_, true)) return;
        emit(socket_connected, {{"duration", watch_.elapsed()}},
             {{"path", path_},
              {"transport", transport_},
              {"serializer", to_string(version_)},
              {"outcome", outcome}});
    }

  private:
    std::string path_;
    std::string_view transport_;
    Version version_;
    Stopwatch watch_;
    bool told_ = false;
};

SocketOrigins read_origins(const SocketOptions& options) {
    Result<SocketOrigins> origins = SocketOrigins::make(
        {.check = options.check_origin, .allowed = options.origins, .exact = options.exact_origin},
        {.check = "SocketOptions::check_origin",
         .allowed = "SocketOptions::origins",
         .exact = "SocketOptions::exact_origin"});
    if (!origins) throw std::invalid_argument(std::string(origins.error().message()));
    return *std::move(origins);
}

/// Browsers send cookies along with whatever page opens the socket: only a page that was rendered
/// for this session knows the token.
std::optional<Json> exposed_session(const Conn& conn) {
    const Session* session = conn.find<Session>();
    auto token = conn.query().get<std::string>("_csrf_token");
    if (!session || !token || !valid_csrf_token(conn, *token)) return std::nullopt;
    return session->values();
}

}  // namespace

MountedSocket::MountedSocket(SocketOptions socket)
    : options(std::make_shared<const SocketOptions>(std::move(socket))),
      origins(read_origins(*options)) {}

std::optional<Version> requested_version(const Conn& conn) {
    const Json* vsn = conn.query().find("vsn");
    if (!vsn) return Version::v1;
    return vsn->is_string() ? version_of(vsn->as_string()) : std::nullopt;
}

/// Waits for the app's answer.
Task<Result<Shared<SocketInfo>>> ask_app(Conn conn, const SocketOptions& options,
                                         std::string auth_token) {
    if (!options.connect) co_return Shared<SocketInfo>();
    ConnectRequest request{
        .params = conn.query(),
        .auth_token = std::move(auth_token),
        .headers = conn.head().headers,
        .peer = conn.peer(),
        .remote_ip = std::string(conn.remote_ip()),
        .uri = {.scheme = conn.scheme() == Scheme::https ? "https" : "http",
                .host = std::string(conn.host()),
                .path = std::string(conn.path()),
                .query = std::string(conn.query_string())},
        .session = exposed_session(conn),
    };
    Connected connected = co_await require(options.connect(std::move(request)));
    if (connected.id.empty() && connected.assigns.size() == 0) co_return Shared<SocketInfo>();
    co_return make_shared_value<SocketInfo>(std::move(connected.assigns), std::move(connected.id));
}

Task<Result<Shared<SocketInfo>>> connect_socket(Conn conn, const SocketOptions& options,
                                                Handshake handshake) {
    ConnectEvent event(conn, handshake);
    auto info = co_await ask_app(conn, options, std::move(handshake.auth_token));
    event.end(info ? "ok" : "error");
    co_return info;
}

bool is_forbidden(const Error& why) {
    return why.kind() == ErrorKind::forbidden || why.kind() == ErrorKind::unauthorized;
}

}  // namespace phoenix
}  // namespace bennu
