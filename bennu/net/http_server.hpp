#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "bennu/base/shared.hpp"
#include "bennu/net/http1_limits.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/net/websocket.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::net {

/// One request with its whole body, which is at most as long as `HttpHandler::body_limit` allowed.
struct HttpRequest {
    RequestHead head;
    std::string body;
    SocketAddress peer;
    Instant received;
    bool tls = false;  ///< came over an encrypted connection
};

/// What goes back. The connection adds `content-length`, `date` and `connection`, drops the body
/// for HEAD, 204 and 304, and writes head and body in one go.
struct HttpResponse {
    int status = 200;
    Headers headers;
    std::variant<std::string, Shared<std::string>> body;
    /// Closes the connection after this response.
    bool close = false;
    /// With status 101: the connection becomes a WebSocket that this handler serves. `headers` must
    /// be those of `accept_websocket`.
    std::unique_ptr<WebSocketHandler> websocket;
    WebSocketOptions websocket_options;

    std::string_view body_view() const;
};

/// What serves the requests of a server. One object for all shards: immutable after start, or
/// thread-safe.
class HttpHandler {
  public:
    virtual ~HttpHandler() = default;
    /// How long the body of this request may be (413 beyond). Called between head and body.
    virtual std::uint64_t body_limit(const RequestHead& head) const = 0;
    /// Runs in the connection's process. An exception answers `failure(500)` and is logged; the
    /// connection lives on.
    virtual Task<HttpResponse> handle(HttpRequest request) const = 0;
    /// The body of an error that the server itself answers: 4xx of the parser, 408, 413, 500, 503.
    virtual HttpResponse failure(int status, std::string_view code,
                                 std::string_view message) const = 0;
};

struct HttpServerOptions {
    SocketAddress address;
    /// A listening socket that the launcher holds; -1: open one.
    int inherited_listener = -1;
    Http1Limits limits;
    Duration head_timeout = std::chrono::seconds(10);
    Duration body_timeout = std::chrono::seconds(60);
    Duration idle_timeout = std::chrono::seconds(60);
    /// Of the whole server; more are refused with 503. 0: from the descriptor limit.
    std::size_t max_connections = 0;
};

/// Listens, and serves every connection with a process of its own on the shard that accepted it. A
/// child for a supervision tree: `child<HttpServer>({}, options, handler)`. Stopping it stops
/// accepting, lets requests in progress finish, and closes WebSockets with 1012.
class HttpServer : public Server {
  public:
    HttpServer(HttpServerOptions options, std::shared_ptr<const HttpHandler> handler);

    /// Where it really listens (the port may have been 0).
    struct Address {
        using Reply = SocketAddress;
    };
    struct Connections {
        using Reply = std::size_t;
    };

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    SocketAddress handle(Address) { return bound_; }
    Task<std::size_t> handle(Connections);
    void handle(Down down);

  private:
    HttpServerOptions options_;
    std::shared_ptr<const HttpHandler> handler_;
    SocketAddress bound_;
    std::vector<Pid> acceptors_;
};

}  // namespace bennu::net
