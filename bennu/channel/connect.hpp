#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/channel/socket.hpp"
#include "bennu/web/socket_origins.hpp"

/// What the handshakes of all transports have in common.
namespace bennu::phoenix {

/// A socket under a router, shared by its routes.
struct MountedSocket {
    /// Throws std::invalid_argument for an origin that is none.
    explicit MountedSocket(SocketOptions socket);

    std::shared_ptr<const SocketOptions> options;
    SocketOrigins origins;
};

/// What the client asks for with `vsn`; V1 when it does not say. Nothing: not spoken.
std::optional<Version> requested_version(const Conn& conn);

/// Who connects, beyond the request.
struct Handshake {
    std::string auth_token;
    std::string_view transport;  ///< `websocket` or `longpoll`
    Version version;
};
/// Asks the app's `connect`; null when it has nothing to remember. `options` outlives the task.
/// Event: `channel.socket_connected`.
Task<Result<Shared<SocketInfo>>> connect_socket(Conn conn, const SocketOptions& options,
                                                Handshake handshake);

/// The refusals of `connect` that tell a client to stay away: 403, whatever the transport.
bool is_forbidden(const Error& why);

}  // namespace bennu::phoenix
