#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

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
            "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde");
        EXPECT_TRUE(in_order(
            answers,
            {"HTTP/1.1 200 OK\r\n", "content-type: application/json\r\n", "x-request-id: first\r\n",
             "\r\n\r\n{\"message\":\"hello\"}", "HTTP/1.1 500 Internal Server Error\r\n",
             "\"code\":\"internal\"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nabcd",
             "HTTP/1.1 405 Method Not Allowed\r\n", "allow: GET, HEAD, OPTIONS\r\n",
             "HTTP/1.1 413 ", "\"code\":\"body_too_large\""}))
            << answers;
        EXPECT_FALSE(answers.contains("told to"));
    });
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
