#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "bennu/base/shared.hpp"
#include "bennu/net/body_stream.hpp"
#include "bennu/net/file_body.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/net/websocket.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// One request: with its whole body, or with a reader for it, as `HttpHandler::body_plan` said.
struct HttpRequest {
    RequestHead head;
    std::string body;
    SocketAddress peer;
    Instant received;
    bool tls = false;  ///< came over an encrypted connection
    /// Set when the body is streamed; `body` is then empty.
    BodyReader stream = {};
    /// Fields that came after a gathered body; null when there were none.
    std::unique_ptr<const Headers> trailers = {};
};

/// What a connection is to become.
struct WebSocketUpgrade {
    std::unique_ptr<WebSocketHandler> handler;
    WebSocketOptions options = {};
};

/// What goes back. The connection adds `content-length` (or `transfer-encoding`), `date` and
/// `connection`, and drops the body for HEAD, 204 and 304.
struct HttpResponse {
    int status = 200;
    Headers headers;
    std::variant<std::string, Shared<std::string>, FileBody, BodyProducer> body;
    /// Closes the connection after this response.
    bool close = false;
    /// With status 101: the connection becomes this WebSocket. `headers` must be those of
    /// `accept_websocket`.
    std::unique_ptr<WebSocketUpgrade> websocket;

    /// The body that is text; empty for files and producers.
    std::string_view body_view() const;
    /// Nothing for a producer, whose length only its end tells.
    std::optional<std::uint64_t> body_size() const;
};

/// What serves the requests of a server. One object for all shards: immutable after start, or
/// thread-safe.
class HttpHandler {
  public:
    virtual ~HttpHandler() = default;
    /// How the body of this request is to come. Called between head and body.
    virtual BodyPlan body_plan(const RequestHead& head) const = 0;
    /// Runs in the connection's process. An exception answers `failure(500)` and is logged; the
    /// connection lives on.
    virtual Task<HttpResponse> handle(HttpRequest request) const = 0;
    /// The body of an error that the server itself answers: 4xx of the parser, 408, 413, 500, 503.
    virtual HttpResponse failure(int status, std::string_view code,
                                 std::string_view message) const = 0;
};

}  // namespace bennu::net
