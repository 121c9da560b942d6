#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "bennu/base/shared.hpp"
#include "bennu/net/admission.hpp"
#include "bennu/net/body_stream.hpp"
#include "bennu/net/file_body.hpp"
#include "bennu/net/http_message.hpp"
#include "bennu/net/peer_certificate.hpp"
#include "bennu/net/websocket.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// Sends interim responses (1xx) of a request that is being answered.
class InterimWriter {
  public:
    virtual ~InterimWriter() = default;
    /// At once, before anything of the answer. Nothing happens once that has begun.
    virtual void write(int status, const Headers& headers) = 0;
};

/// One request: with its whole body, or with a reader for it, as `HttpHandler::body_plan` said.
struct HttpRequest {
    RequestHead head;
    std::string body;
    SocketAddress peer;
    Instant received;
    bool tls = false;  ///< came over an encrypted connection
    /// Set when the body is streamed, or deferred and not there yet; `body` is then empty.
    BodyReader stream = {};
    /// Fields that came after a gathered body; null when there were none.
    std::unique_ptr<const Headers> trailers = {};
    /// Null unless the server sends interim responses and this client can take them.
    std::shared_ptr<InterimWriter> interim = {};
    /// What the client showed of itself (`TlsOptions::client_certificates`); null: nothing.
    std::shared_ptr<const PeerCertificate> client_certificate = {};
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
    /// With status 101: the connection (over HTTP/2: the stream, and the client is told 200)
    /// becomes this WebSocket. `headers` must be those of `accept_websocket`.
    std::unique_ptr<WebSocketUpgrade> websocket;

    /// The body that is text; empty for files and producers.
    std::string_view body_view() const;
    /// Nothing for a producer, whose length only its end tells.
    std::optional<std::uint64_t> body_size() const;
};

/// A request that the server answered by itself: nobody could read it, or it did not come in time.
struct RefusedRequest {
    int status = 0;
    std::string_view code;  ///< why, as `HttpHandler::failure` was told
    /// As far as they are known; the path is without the query, and still encoded.
    std::string_view method, path;
    SocketAddress peer;
    Instant received;  ///< when it began to come
};

/// What serves the requests of a server. One object for all shards: immutable after start, or
/// thread-safe.
class HttpHandler {
  public:
    virtual ~HttpHandler() = default;
    /// How the body of this request is to come. Called between head and body.
    virtual BodyPlan body_plan(const RequestHead& head) const = 0;
    /// Whether the request is answered although others are turned away with that verdict. Asked
    /// only then.
    virtual bool reserved(const RequestHead&, Admission::Verdict) const { return false; }
    /// Runs in the connection's process. An exception answers `failure(500)` and is logged; the
    /// connection lives on.
    virtual Task<HttpResponse> handle(HttpRequest request) const = 0;
    /// The server answers such a request itself, for logs and counters. Clients may cause as many
    /// as they like.
    virtual void refused(const RefusedRequest&) const {}
    /// The body of an error that the server itself answers: 4xx of the parser, 408, 413, 500, 503.
    virtual HttpResponse failure(int status, std::string_view code,
                                 std::string_view message) const = 0;
};

}  // namespace bennu::net
