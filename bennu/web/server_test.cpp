#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/websocket_route.hpp"

namespace bennu {
namespace web_server_test {

struct Greeter : net::WebSocketHandler {
    void on_open(net::WebSocketConnection& socket) override { socket.send_text("welcome"); }
    void on_text(net::WebSocketConnection&, std::string_view) override {}
    void on_binary(net::WebSocketConnection&, std::string_view) override {}
};

Task<Response> slow_crash(Conn conn) {
    co_await sleep(std::chrono::milliseconds(3));
    throw std::runtime_error("told to");
    co_return no_content(conn);
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->plug(RequestIds{});
    router->get("/json",
                [](Conn conn) { return json(conn, Json::object({{"message", "hello"}})); });
    router->get("/crash", slow_crash);
    router->post("/small", [](Conn conn) { return text(conn, 200, conn.take_body()); },
                 {.body_limit = 4});
    router->websocket("/socket",
                      [](Conn conn) { return websocket(conn, std::make_unique<Greeter>()); });
    return router;
}

/// Runs `client` against an endpoint on a simulated network.
void serve(SimOptions sim, Function<Task<>(SocketAddress)> client) {
    auto outcome = simulate(sim, [client = std::move(client)]() mutable -> Task<Result<>> {
        auto endpoint = Endpoint::make({.port = 8000}, make_router()).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        EXPECT_TRUE(server);
        if (!server) co_return std::move(server).error();
        co_await client(co_await call(*server, net::HttpServer::Address{}));
        co_await stop_and_wait(server->pid(), std::chrono::seconds(30));
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

bool in_order(std::string_view text, std::initializer_list<std::string_view> parts) {
    for (std::string_view part : parts) {
        std::size_t at = text.find(part);
        if (at == std::string_view::npos) return false;
        text.remove_prefix(at + part.size());
    }
    return true;
}

// proves 1.5, 1.6
BENNU_SIM_TEST(WebServer, one_connection_carries_answers_refusals_and_crashes, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        std::string answers = co_await net::exchange(
            address,
            "GET /json HTTP/1.1\r\nHost: a\r\nX-Request-ID: first\r\n\r\n"
            "GET /crash HTTP/1.1\r\nHost: a\r\n\r\n"
            "HEAD /json HTTP/1.1\r\nHost: a\r\n\r\n"
            "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd"
            "DELETE /json HTTP/1.1\r\nHost: a\r\n\r\n"
            "BREW /json HTTP/1.1\r\nHost: a\r\n\r\n"
            "BREW /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /socket HTTP/1.1\r\nHost: a\r\n\r\n"
            "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde");
        EXPECT_TRUE(in_order(
            answers,
            {"HTTP/1.1 200 OK\r\n", "content-type: application/json\r\n", "x-request-id: first\r\n",
             "\r\n\r\n{\"message\":\"hello\"}", "HTTP/1.1 500 Internal Server Error\r\n",
             "\"code\":\"internal\"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nabcd",
             "HTTP/1.1 405 Method Not Allowed\r\n", "allow: GET, HEAD, OPTIONS\r\n",
             "HTTP/1.1 501 Not Implemented\r\n", "\"code\":\"method_not_implemented\"",
             "HTTP/1.1 501 Not Implemented\r\n", "HTTP/1.1 426 ", "upgrade: websocket\r\n",
             "connection: upgrade\r\n", "HTTP/1.1 413 ", "\"code\":\"body_too_large\""}))
            << answers;
        EXPECT_FALSE(answers.contains("told to"));
    });
}

// proves 1.5, 1.6
TEST(WebServer, http_2_carries_the_same_answers_and_log_lines) {
    LogCapture log;
    simulate({}, []() -> Task<Result<>> {
        auto router = make_router();
        router->plug(AccessLog{});
        auto endpoint = Endpoint::make({.port = 8000}, std::move(router)).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await require(
            co_await start<net::HttpServer>({}, endpoint->server_options(), handler));
        auto client = co_await require(
            co_await start<net::Http2Client>({}, SocketAddress{"127.0.0.1", 8000}));
        using Ask = net::Http2Client::Ask;
        auto answer = co_await call(client, Ask{{{":path", "/json"}, {"x-request-id", "first"}}});
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body, "{\"message\":\"hello\"}");
        EXPECT_EQ(answer.headers.get("content-type"), "application/json");
        EXPECT_EQ(answer.headers.get("x-request-id"), "first");
        answer = co_await call(client, Ask{{{":path", "/crash"}}});
        EXPECT_EQ(answer.status, 500);
        EXPECT_TRUE(answer.body.contains("\"code\":\"internal\""));
        answer = co_await call(client, Ask{{{":method", "POST"}, {":path", "/small"}}, "abcd"});
        EXPECT_EQ(answer.body, "abcd");
        answer = co_await call(client, Ask{{{":method", "POST"}, {":path", "/small"}}, "abcde"});
        EXPECT_EQ(answer.status, 413);
        answer = co_await call(client, Ask{{{":method", "DELETE"}, {":path", "/json"}}});
        EXPECT_EQ(answer.status, 405);
        answer = co_await call(client, Ask{{{":path", "/socket"}}});
        EXPECT_EQ(answer.status, 426);
        EXPECT_FALSE(answer.headers.contains("connection"));
        const auto socket =
            co_await call(client, net::Http2Client::Begin{{{":method", "CONNECT"},
                                                           {":path", "/socket"},
                                                           {":protocol", "websocket"},
                                                           {"sec-websocket-version", "13"},
                                                           {"x-request-id", "socket"}}});
        answer = co_await call(client, net::Http2Client::Await{socket, "welcome"});
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.headers.get("x-request-id"), "socket");
        cast(client, net::Http2Client::Reset{socket});
        co_await stop_and_wait(server.pid(), std::chrono::seconds(30));
        co_return Result<>();
    });
    EXPECT_TRUE(log.contains("path=/json status=200"));
    EXPECT_TRUE(log.contains("peer=127.0.0.1"));
    EXPECT_TRUE(log.contains("path=/crash status=500"));
    // As over HTTP/1.1, whatever the stream says instead.
    EXPECT_TRUE(log.contains("path=/socket status=101"));
}

// proves 1.13
BENNU_SIM_TEST(WebServer, the_same_port_speaks_websocket, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto client = co_await start<net::RawClient>({}, address);
        EXPECT_TRUE(client);
        cast(*client, net::RawClient::Send{"GET /socket HTTP/1.1\r\nHost: a\r\n"
                                           "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                           "Sec-WebSocket-Version: 13\r\n"
                                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"});
        std::string got = co_await call(*client, net::RawClient::ReadUntil{"welcome"});
        EXPECT_TRUE(in_order(got, {"HTTP/1.1 101 ", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "welcome"}));
        cast(*client, net::RawClient::Disconnect{});
    });
}

BENNU_SIM_TEST(WebServer, no_wire_lets_a_page_of_another_site_open_a_socket, sim) {
    LogCapture quiet;
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string refused = co_await net::exchange(
            address,
            "GET /socket HTTP/1.1\r\nHost: app.example\r\nOrigin: https://evil.example\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            "GET /json HTTP/1.1\r\nHost: app.example\r\n\r\n");
        EXPECT_TRUE(in_order(refused, {"HTTP/1.1 403 ", "\"code\":\"origin_not_allowed\"",
                                       "HTTP/1.1 200 OK\r\n", "hello"}))
            << refused;
        auto client = co_await start<net::Http2Client>({}, address);
        for (auto [origin, status] :
             {std::pair("https://evil.example", 403), std::pair("https://app.example", 200)}) {
            const auto socket =
                co_await call(*client, net::Http2Client::Begin{{{":method", "CONNECT"},
                                                                {":authority", "app.example"},
                                                                {":path", "/socket"},
                                                                {":protocol", "websocket"},
                                                                {"origin", origin},
                                                                {"sec-websocket-version", "13"}}});
            auto answer = co_await call(*client, net::Http2Client::Await{socket, "e"});
            EXPECT_EQ(answer.status, status) << origin;
            cast(*client, net::Http2Client::Reset{socket});
        }
    });
}

BENNU_SIM_TEST(WebServer, says_what_it_takes_at_all, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string answer =
            co_await net::exchange(address,
                                   "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
                                   "GET /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        EXPECT_TRUE(in_order(answer, {"HTTP/1.1 204 ", "allow: GET, HEAD, POST, OPTIONS\r\n",
                                      "x-request-id: ", "HTTP/1.1 200 "}))
            << answer;
        auto client = co_await start<net::Http2Client>({}, address);
        const auto reply =
            co_await call(*client, net::Http2Client::Ask{{{":method", "OPTIONS"}, {":path", "*"}}});
        EXPECT_EQ(reply.status, 204);
        EXPECT_EQ(reply.headers.get("allow"), "GET, HEAD, POST, OPTIONS");
    });
}

TEST(WebServer, is_a_child_of_a_supervision_tree) {
    auto outcome = simulate({.shards = 1}, []() -> Task<Result<>> {
        std::vector<ChildSpec> children;
        children.push_back(child_endpoint({.port = 8000}, make_router()));
        auto tree = co_await supervise({}, std::move(children));
        EXPECT_TRUE(tree);
        auto server = whereis<net::HttpServer>("endpoint");
        SocketAddress address = co_await call(server, net::HttpServer::Address{});
        EXPECT_EQ(address.port, 8000);
        std::string answer = co_await net::exchange(
            address, "GET /json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        EXPECT_TRUE(answer.ends_with("{\"message\":\"hello\"}")) << answer;
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(WebServer, a_router_with_mistakes_fails_the_start) {
    auto outcome = simulate({.shards = 1}, []() -> Task<Result<>> {
        auto router = std::make_shared<Router>();
        router->get("/a", Action());
        std::vector<ChildSpec> children;
        children.push_back(child_endpoint({.port = 8000}, router));
        auto tree = co_await supervise({}, std::move(children));
        EXPECT_FALSE(tree);
        if (!tree) EXPECT_TRUE(tree.error().describe().contains("has no action"));
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(WebServer, an_endpoint_may_be_encrypted_beside_a_redirect) {
    net::TlsCertificate certificate = net::make_test_certificate({"localhost"});
    std::string base = testing::TempDir() + "server_test." + std::to_string(::getpid());
    std::ofstream(base + ".crt") << certificate.certificate;
    std::ofstream(base + ".key") << certificate.key.reveal();
    Json section = parse_json(R"({"port": 8443, "per_ip": 10, "tls": {"redirect_port": 8080,
        "public_port": 8443, "certificates": [{"certificate_file": ")" +
                              base + R"(.crt", "key_file": ")" + base + R"(.key"}]}})")
                       .value();
    EndpointOptions options = from_json<EndpointOptions>(section, {.absent = Absent::keep}).value();
    std::string answer, redirect;
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> children;
        children.push_back(child_endpoint(options, make_router()));
        children.push_back(child_https_redirect(options));
        auto tree = co_await supervise({}, std::move(children));
        if (!tree) co_return std::move(tree).error();
        auto tls = net::TlsContext::client({.authorities = certificate.certificate}).value();
        std::string request = "GET /json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        answer = co_await net::exchange({"127.0.0.1", 8443}, request, tls);
        redirect = co_await net::exchange({"127.0.0.1", 8080}, request);
        co_return Result<>();
    });
    std::remove((base + ".crt").c_str());
    std::remove((base + ".key").c_str());
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(answer.ends_with("{\"message\":\"hello\"}")) << answer;
    EXPECT_TRUE(redirect.contains("location: https://localhost:8443/json\r\n")) << redirect;
}

}  // namespace web_server_test
}  // namespace bennu
