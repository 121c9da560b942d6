#include "bennu/base/log.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/event_stream.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/websocket_route.hpp"
#include "fuzz/input.hpp"

using namespace bennu;
using namespace std::chrono_literals;

namespace {

struct Echo : net::WebSocketHandler {
    void on_open(net::WebSocketConnection&) override {}
    void on_text(net::WebSocketConnection& socket, std::string_view text) override {
        if (text == "crash") throw std::runtime_error("told to");
        socket.send_text(text);
    }
    void on_binary(net::WebSocketConnection& socket, std::string_view data) override {
        socket.send_binary(data);
    }
};

std::shared_ptr<Router> routes() {
    auto router = std::make_shared<Router>();
    router->plug(RequestIds{});
    router->get("/json", [](Conn conn) { return json(conn, Json::object({{"fine", true}})); });
    router->get("/items/:id",
                [](Conn conn) { return text(conn, 200, std::to_string(conn.param<int>("id"))); });
    router->get("/crash", [](Conn) -> Response { throw std::runtime_error("told to"); });
    router->get("/slow", [](Conn conn) -> Task<Response> {
        co_await bennu::sleep(200ms);
        co_return no_content(conn);
    });
    router->post("/params", [](Conn conn) { return json(conn, conn.body_params()); });
    router->post("/echo", [](Conn conn) { return text(conn, 200, conn.take_body()); },
                 {.body_limit = 512});
    router->post("/stream",
                 [](Conn conn) -> Task<Response> {
                     auto body = co_await conn.body_reader().rest(1024);
                     co_return text(conn, body ? 200 : 400,
                                    body ? std::to_string(body->size()) : "");
                 },
                 {.stream_body = true});
    router->post("/files",
                 [](Conn conn) {
                     std::uint64_t size = 0;
                     for (const Upload& file : conn.uploads()) size += file.size;
                     return text(conn, 200, std::to_string(size));
                 },
                 {.body_limit = 100'000,
                  .uploads = UploadOptions{.file_bytes = 1000,
                                           .parts = 4,
                                           .field_bytes = 100,
                                           .header_bytes = 200,
                                           .body_types = {"text/csv"}}});
    router->get("/events", [](Conn conn) {
        return sse(conn, [](EventWriter out) -> Task<Result<>> {
            for (int i = 0; i < 3; ++i)
                co_await require(out.send({.data = "tick", .id = std::to_string(i)}));
            co_return {};
        });
    });
    router->websocket("/socket", [](Conn conn) {
        return websocket(conn, std::make_unique<Echo>(),
                         {.options = {.deflate = {.enabled = true}}});
    });
    return router;
}

EndpointOptions options() {
    return {.port = 8000,
            .max_body = 4096,
            .head_timeout = 2s,
            .body_timeout = 2s,
            .send_timeout = 2s,
            .idle_timeout = 2s,
            .http2_streams = 8};
}

/// Sends the input in its pieces, with pauses, and goes.
Task<> attack(SocketAddress address, const fuzz::CutInput* input) {
    auto client = co_await start<net::RawClient>({}, address);
    if (!client) co_return;
    std::vector<std::string> pieces;
    input->for_each_piece([&](std::string_view piece) { pieces.emplace_back(piece); });
    for (std::string& piece : pieces) {
        cast(*client, net::RawClient::Send{std::move(piece)});
        co_await bennu::sleep(1ms);
    }
    co_await bennu::sleep(input->piece % 2 ? 1ms : 5s);
    kill(client->pid());
}

/// What everybody else notices of it: nothing.
Task<> ask(SocketAddress address) {
    std::string answer = co_await net::exchange(
        address, "GET /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    fuzz::require_that(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("{\"fine\":true}"),
                       "another client was disturbed");
}

}  // namespace

/// The input is what a client sends to a whole server, over a simulated network whose pace follows
/// from the input: whatever it is, others are served meanwhile and afterwards, and the server ends
/// in time with no connection left.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4096) return 0;
    fuzz::CutInput input(data, size);
    LogCapture quiet(LogLevel::off);
    SimOptions sim{.seed = 1 + input.piece, .shards = 2, .limit = 5min};
    // Pieces so small that a whole input takes its time, but not for ever.
    input.piece = std::max(input.piece, size / 16);
    const SimOutcome outcome = simulate(sim, [&input]() -> Task<Result<>> {
        auto endpoint = Endpoint::make(options(), routes()).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        if (!server) co_return std::move(server).error();
        const SocketAddress address = co_await call(*server, net::HttpServer::Address{});
        Pid attacker =
            spawn_task([address, &input]() -> Task<> { co_await attack(address, &input); });
        co_await bennu::sleep(2ms);
        co_await ask(address);
        (void)co_await exit_of(attacker);
        co_await ask(address);
        co_await bennu::sleep(6s);
        fuzz::require_that(co_await call(*server, net::HttpServer::Connections{}) == 0,
                           "a connection is left whose client is gone");
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    fuzz::require_that(outcome.status == 0 && !outcome.hung, "the server did not come to its end");
    return 0;
}
