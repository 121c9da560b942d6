#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bennu/channel/channel.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu {

class RouteScope;

/// Which channel serves which topics of a socket.
struct ChannelRoute {
    std::string pattern;  ///< a topic, or a prefix and `*`
    std::function<std::unique_ptr<Channel>()> make;
    const detail::ProcessType* type = nullptr;
};

namespace detail {
/// All channels are processes of type Channel under the name of their own type.
template <typename C>
struct ChannelType {
    static constexpr ProcessType type = [] {
        ProcessType named = TypeOf<Channel>::type;
        named.name = type_name_of<C>();
        named.terminate = [] [[clang::coro_wrapper]] (void* body, ExitReason reason) -> Task<> {
            return static_cast<Channel*>(body)->finish(std::move(reason));
        };
        return named;
    }();
};
}  // namespace detail

/// `channel<RoomChannel>("room:*", copies of constructor arguments…)`
template <typename C, typename... A>
ChannelRoute channel(std::string pattern, A... args) {
    static_assert(std::is_base_of_v<Channel, C>);
    return {std::move(pattern),
            [args...]() -> std::unique_ptr<Channel> { return std::make_unique<C>(args...); },
            &detail::ChannelType<C>::type};
}

/// Someone who wants to open a socket.
struct ConnectRequest {
    Json params;             ///< of the query string
    std::string auth_token;  ///< decoded from the client's subprotocol; empty: none
    net::Headers headers;
    SocketAddress peer;
};

/// A socket that may open.
struct Connected {
    Json assigns;  ///< `Channel::assigns()` of all its channels
    std::string
        id;  ///< `users_socket:42`: broadcasting `disconnect` on it closes all sockets of that id
};

struct SocketLimits {
    std::size_t max_channels = 100;
    std::size_t max_message = 64 * 1024;
    Duration idle_timeout = std::chrono::seconds(60);
    /// Events that may wait for one channel while it is busy; more are answered with an error.
    std::size_t max_waiting = 256;
    /// Joins a second, on average and in a burst; more are answered with an error.
    unsigned joins_per_second = 50;
    unsigned join_burst = 200;
};

/// A socket that clients open with `new Socket(path)`.
struct SocketOptions {
    std::string path = "/socket";
    std::vector<ChannelRoute> channels;
    /// May refuse with an Error: `forbidden` and `unauthorized` are answered with 403, others with
    /// the status of their kind. Runs for many sockets at once, on all shards. Unset: everybody
    /// may, with empty assigns.
    Function<Task<Result<Connected>>(ConnectRequest) const> connect;
    /// An `Origin` header must name the host that the request was sent to, or one of `origins`
    /// (`https://a.example`, or a bare host `a.example`, which goes for every scheme and port).
    bool check_origin = true;
    std::vector<std::string> origins;
    SocketLimits limits;
};

/// Serves the socket at `<path>/websocket`. Refused with 403: an unsupported `vsn` (2.x is spoken;
/// a client that sends none means 1.0.0, which is not), an origin that is not allowed, only unknown
/// subprotocols.
void mount_socket(RouteScope& scope, SocketOptions options);

}  // namespace bennu
