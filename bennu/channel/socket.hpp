#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bennu/channel/channel_types.hpp"
#include "bennu/channel/outbox.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/net/websocket_deflate.hpp"
#include "bennu/pubsub/presence_fetch.hpp"

namespace bennu {

class RouteScope;

/// What an app says about the topics of a channel where it declares it.
struct ChannelOptions {
    /// Set: broadcasts on these topics are numbered and kept, from whichever code they come, and a
    /// client that joins again with its position gets what it missed (`"resume"`, see the guide).
    std::optional<pubsub::DurableOptions> durable = {};
    /// Set: what clients are told of those who are present on these topics beyond their metas.
    presence::Fetch fetch = {};
};

/// Which channel serves which topics of a socket.
struct ChannelRoute {
    std::string pattern;  ///< a topic, or a prefix and `*`
    std::function<std::unique_ptr<Channel>()> make;
    const detail::ProcessType* type = nullptr;
    ChannelOptions options = {};
    const detail::ChannelContract* contract = nullptr;  ///< of a channel with `types()`
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

namespace detail {
template <typename C>
concept TakesEventsByHand = !requires {
    requires std::is_same_v<decltype(&C::handle_in), Task<Reply> (Channel::*)(Event, Json)>;
    requires std::is_same_v<decltype(&C::handle_binary), Task<Reply> (Channel::*)(Event, Bytes)>;
};
}  // namespace detail

/// `channel<RoomChannel>("room:*", copies of constructor arguments…)`
template <typename C, typename... A>
ChannelRoute channel(std::string pattern, A... args) {
    static_assert(std::is_base_of_v<Channel, C>);
    if constexpr (requires { C::types(); }) {
        static_assert(!detail::TakesEventsByHand<C>,
                      "this channel has types(): name a handler there for each event, "
                      ".on<&C::handler>(\"event\"), in place of handle_in and handle_binary");
    }
    return {
        .pattern = std::move(pattern),
        .make = [args...]() -> std::unique_ptr<Channel> { return std::make_unique<C>(args...); },
        .type = &detail::ChannelType<C>::type,
        .options = {},
        .contract = detail::contract_of<C>()};
}
/// `channel<RoomChannel>("room:*", {.durable = pubsub::DurableOptions{.keep = 1000}}, …)`
template <typename C, typename... A>
ChannelRoute channel(std::string pattern, ChannelOptions options, A... args) {
    ChannelRoute route = channel<C, A...>(std::move(pattern), std::move(args)...);
    route.options = std::move(options);
    return route;
}

/// Someone who wants to open a socket.
struct ConnectRequest {
    Json params;             ///< of the query string
    std::string auth_token;  ///< the client's `authToken`; empty: none
    net::Headers headers;
    SocketAddress peer;
    std::string remote_ip;  ///< the client's address, behind trusted proxies too
    struct Uri {
        std::string scheme, host, path, query;
    } uri;  ///< as the client asked for it
    /// The values of the browser's session. Only where the socket is mounted behind `Sessions`, and
    /// the params hold a `_csrf_token` of that session: other sites' pages come with the cookie,
    /// too.
    std::optional<Json> session;

    std::string_view user_agent() const;
    std::vector<net::Headers::Field> x_headers() const;
};

/// A socket that may open.
struct Connected {
    Json assigns;  ///< `Channel::assigns()` of all its channels
    std::string
        id;  ///< `users_socket:42`: broadcasting `disconnect` on it closes all sockets of that id
};

struct SocketLimits {
    std::size_t max_channels = 100;
    /// Bytes of one message of a client; a longer one ends its connection (WebSockets: with 1009).
    std::size_t max_message = 64 * 1024;
    Duration idle_timeout = std::chrono::seconds(60);
    /// Events that may wait for one channel while it is busy; more are answered with an error.
    std::size_t max_waiting = 256;
    /// Joins a second, on average and in a burst; more are answered with an error.
    unsigned joins_per_second = 50;
    unsigned join_burst = 200;
    /// What a client may send in all, heartbeats and joins too: so many messages a second, and so
    /// many at once; more are answered with an error. 0: any, as in Phoenix. Only leaving a joined
    /// channel is always heard.
    unsigned messages_per_second = 0;
    unsigned message_burst = 500;
    /// Pings and pongs of a WebSocket, a second and at once, and frames of one message; more end
    /// it with 1008. 0: any.
    std::uint16_t control_frames_per_second = 10;
    std::uint16_t control_frame_burst = 100;
    std::uint16_t max_fragments = 1024;
};

/// How clients are served whose network lets no WebSocket through.
struct LongPollOptions {
    /// How long a poll waits for a message. A session that nobody polls ends after one and a half.
    Duration window = std::chrono::seconds(10);
    /// Of this socket, on one node; more are told to try again.
    std::uint32_t max_sessions = 10'000;
    /// What may wait for a client that does not poll: more, for half a second, ends the session,
    /// and the client begins anew. The largest message that waits is not counted, so that one of
    /// any size arrives; and while a client is between two polls up to `OutboxOptions::max_bytes`
    /// may wait.
    std::size_t max_queued = 1000;
    std::size_t max_queued_bytes = 1024 * 1024;
    /// Bytes of one POST, which carries up to 100 frames.
    std::uint64_t max_body = 8'000'000;
};

/// A socket that clients open with `new Socket(path)`.
struct SocketOptions {
    std::string path = "/socket";
    std::vector<ChannelRoute> channels;
    /// May refuse with an Error: `forbidden` and `unauthorized` are answered with 403, others with
    /// the status of their kind. Runs for many sockets at once, on all shards. Unset: everybody
    /// may, with empty assigns.
    Function<Task<Result<Connected>>(ConnectRequest) const> connect;
    /// Which pages may open it. Set: their host must be the one that the request was sent to, at
    /// whichever port and scheme, or their origin one of `origins`. Clients without an `Origin`
    /// header may in any case.
    bool check_origin = true;
    /// `https://app.example` (its own port), `https://app.example:8443`, `//app.example` or
    /// `app.example` (any scheme and port), `//app.example:8080`; `*.app.example` in place of a
    /// host goes for that name and all below it.
    std::vector<std::string> origins;
    /// Set: of the request's own host only the page at that port may, and over HTTPS only one that
    /// came so, too. Browsers send a site's cookies along from any port of its host.
    bool exact_origin = false;
    SocketLimits limits;
    /// Of clients that do not read as fast as messages come.
    OutboxOptions outbox;
    /// `{.enabled = true}`: what clients and server send each other over WebSockets is compressed
    /// (permessage-deflate) where the client offers it, broadcasts excepted: those are one buffer
    /// for all receivers. A message may still be no longer than `limits.max_message` once it is
    /// inflated.
    net::WebSocketDeflate compress = {};
    /// Unset: WebSockets only.
    std::optional<LongPollOptions> longpoll = LongPollOptions{};
};

/// Declares what is special about the topics of these channels on all shards of this node
/// (`pubsub::make_durable`, `presence::fetch_with`): `mount_socket` does it by itself, and runs on
/// a shard then.
void declare_topics(const SocketOptions& options);

/// Serves the socket at `<path>/websocket` and, unless `longpoll` is unset, at `<path>/longpoll`.
/// Refused with 403: an unsupported `vsn` (1.x and 2.x are spoken; a client that sends none means
/// 1.0.0), an origin that is not allowed, only unknown subprotocols.
void mount_socket(RouteScope& scope, SocketOptions options);

}  // namespace bennu
