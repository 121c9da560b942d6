#pragma once

#include <memory>
#include <string_view>

#include "bennu/net/http_server.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::net {

/// A handler of a test that answers errors with `failed: CODE` and takes small bodies.
struct TestHandler : HttpHandler {
    BodyPlan body_plan(const RequestHead&) const override { return {.limit = 1000}; }
    HttpResponse failure(int status, std::string_view code, std::string_view) const override;
};

/// Whether the request asks for a WebSocket; then the response is one that says nothing.
bool becomes_silent_socket(const HttpRequest& request, HttpResponse& response);

/// Answers that are made piece by piece.
namespace produce {
/// `line 0`, `line 1` and `line 2`, ten milliseconds apart.
BodyProducer lines();
/// What comes in.
BodyProducer echo(BodyReader in);
/// Pieces of 10,000 bytes. Logs `flood stopped` with the number of pieces that were taken, or
/// `flood went through`.
BodyProducer flood(int pieces);
/// `begun`, and a fault after that.
BodyProducer crash();
/// `begun`, then `beat` until it should end; logs `endless answer ended`.
BodyProducer endless();
}  // namespace produce

/// Starts a server at port 8000 of this machine, on a simulated network, runs `client` against it,
/// and stops it.
SimOutcome serve(SimOptions sim, HttpServerOptions options,
                 std::shared_ptr<const HttpHandler> handler,
                 Function<Task<>(SocketAddress)> client);

/// The same with a real server on a port of its own; fails the test unless all goes well.
void serve_really(HttpServerOptions options, unsigned shards,
                  std::shared_ptr<const HttpHandler> handler,
                  Function<Task<Result<>>(SocketAddress)> client);

}  // namespace bennu::net
