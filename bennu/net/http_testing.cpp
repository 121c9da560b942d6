#include "bennu/net/http_testing.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/runtime.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

HttpResponse TestHandler::failure(int status, std::string_view code, std::string_view) const {
    HttpResponse response;
    response.status = status;
    response.body = "failed: " + std::string(code);
    return response;
}

namespace {

struct SilentSocket : WebSocketHandler {
    void on_open(WebSocketConnection&) override {}
    void on_text(WebSocketConnection&, std::string_view) override {}
    void on_binary(WebSocketConnection&, std::string_view) override {}
};

}  // namespace

bool becomes_silent_socket(const HttpRequest& request, HttpResponse& response) {
    auto check = check_websocket_request(request.head);
    if (!check.ok) return false;
    response.status = 101;
    response.headers = accept_websocket(check.request);
    response.websocket = std::make_unique<WebSocketUpgrade>(std::make_unique<SilentSocket>());
    return true;
}

namespace produce {

BodyProducer lines() {
    return BodyProducer([](BodyWriter out) -> Task<Result<>> {
        for (int i = 0; i < 3; ++i) {
            co_await require(out.write("line " + std::to_string(i) + "\n"));
            co_await sleep(10ms);
        }
        co_return Result<>();
    });
}

BodyProducer echo(BodyReader in) {
    return BodyProducer([in = std::move(in)](BodyWriter out) mutable -> Task<Result<>> {
        while (auto piece = co_await require(in.next()))
            co_await require(out.write(std::move(*piece)));
        co_return Result<>();
    });
}

BodyProducer flood(int pieces) {
    return BodyProducer([pieces](BodyWriter out) -> Task<Result<>> {
        for (int i = 0; i < pieces; ++i) {
            Result<> written = co_await out.write(std::string(10'000, 'f'));
            if (!written) {
                log_info("flood stopped", {{"at", i}});
                co_return written;
            }
        }
        log_info("flood went through");
        co_return Result<>();
    });
}

BodyProducer crash() {
    return BodyProducer([](BodyWriter out) -> Task<Result<>> {
        co_await require(out.write("begun"));
        co_await sleep(10ms);
        throw std::runtime_error("told to");
    });
}

BodyProducer endless() {
    return BodyProducer([](BodyWriter out) -> Task<Result<>> {
        co_await require(out.write("begun"));
        while (!co_await out.closing(15s)) co_await require(out.write("beat"));
        log_info("endless answer ended");
        co_return Result<>();
    });
}

}  // namespace produce

SimOutcome serve(SimOptions sim, HttpServerOptions options,
                 std::shared_ptr<const HttpHandler> handler,
                 Function<Task<>(SocketAddress)> client) {
    return simulate(
        sim, [options, handler, client = std::move(client)]() mutable -> Task<Result<>> {
            options.address = {"127.0.0.1", 8000};
            auto server = co_await require(co_await start<HttpServer>({}, options, handler));
            co_await client(co_await call(server, HttpServer::Address{}));
            co_await stop_and_wait(server.pid(), 30s);
            co_return {};
        });
}

void serve_really(HttpServerOptions options, unsigned shards,
                  std::shared_ptr<const HttpHandler> handler,
                  Function<Task<Result<>>(SocketAddress)> client) {
    const int status = run({.shards = shards, .handle_signals = false}, [&]() -> Task<Result<>> {
        auto server = co_await require(co_await start<HttpServer>({}, options, handler));
        co_return co_await client(co_await call(server, HttpServer::Address{}));
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::net
