#include "bennu/web/early_hints.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/event_stream.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_early_hints_test {

using namespace std::chrono_literals;

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->get("/", [](Conn conn) -> Task<Response> {
        early_hints(conn, {"</app.css>; rel=preload; as=style", "</app.js>; rel=preload"});
        co_await sleep(10ms);
        co_return text(conn, 200, "page");
    });
    router->get("/late", [](Conn conn) {
        // Its answer has begun when the body is made.
        return stream(conn, 200, "text/plain", [conn](net::BodyWriter out) -> Task<Result<>> {
            co_await require(out.write("first"));
            early_hints(conn, {"</late>"});
            co_return co_await out.write("last");
        });
    });
    router->get("/slow", [](Conn conn) -> Task<Response> {
        co_await sleep(50ms);
        early_hints(conn, {"</slow>"});
        co_await sleep(50ms);
        early_hints(conn, {"</slower>"});
        co_return text(conn, 200, "slow");
    });
    router->get("/many", [](Conn conn) {
        for (int i = 0; i < 20'000; ++i) early_hints(conn, {"</app.css>; rel=preload; as=style"});
        return text(conn, 200, "many");
    });
    router->get("/bad", [](Conn conn) {
        early_hints(conn, {"</a>\r\nx: y"});
        return text(conn, 200, "never");
    });
    return router;
}

using Client = Function<Task<>(SocketAddress)>;

void serve(bool on, SimOptions sim, Client client) {
    finishes(sim, [&]() -> Task<Result<>> {
        auto endpoint = Endpoint::make({.port = 8000, .early_hints = on}, make_router()).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        if (!server) co_return std::move(server).error();
        co_await client(co_await call(*server, net::HttpServer::Address{}));
        co_await stop_and_wait(server->pid(), 30s);
        co_return Result<>();
    });
}

std::string asked(bool on, std::string request) {
    std::string answer;
    serve(on, {}, [&](SocketAddress address) -> Task<> {
        answer = co_await net::exchange(address, request);
    });
    return answer;
}

TEST(EarlyHints, come_before_the_answer_but_not_for_clients_of_http_1_0) {
    const std::string get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
                      last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    const std::string hints =
        "HTTP/1.1 103 Early Hints\r\nlink: </app.css>; rel=preload; as=style\r\n"
        "link: </app.js>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n";
    const std::string one = asked(true, last);
    EXPECT_TRUE(one.starts_with(hints)) << one;
    EXPECT_TRUE(one.ends_with("\r\n\r\npage"));
    const std::string two = asked(true, get + last);
    const std::size_t second = two.find("page") + 4;
    EXPECT_TRUE(two.starts_with(hints)) << two;
    EXPECT_TRUE(two.substr(second).starts_with(hints)) << two;
    EXPECT_TRUE(asked(false, last).starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(asked(true, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST(EarlyHints, nothing_is_said_once_the_answer_has_begun_and_nothing_injected) {
    LogCapture log;
    const std::string late =
        asked(true, "GET /late HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    EXPECT_TRUE(late.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_FALSE(late.contains("103"));
    const std::string bad =
        asked(true, "GET /bad HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    EXPECT_TRUE(bad.starts_with("HTTP/1.1 500 ")) << bad;
    // In tests without a socket they are not heard.
    EXPECT_EQ(TestClient(make_router()).get("/").body, "page");
}

using net::Http2Client;
using net::Http2Reply;

Http2Client::Ask get(std::string path) {
    return {{{":path", std::move(path)}}};
}

BENNU_SIM_TEST(EarlyHints, come_over_http_2_while_the_answer_is_made, sim) {
    Http2Reply hinted, whole, twice, without;
    serve(true, sim, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, Http2Client::Begin{{{":path", "/"}}, true});
        co_await sleep(5ms);
        hinted = co_await call(*client, Http2Client::Look{id});
        whole = co_await call(*client, Http2Client::Await{id});
        twice = co_await call(*client, get("/slow"));
    });
    EXPECT_EQ(hinted.status, 103);
    EXPECT_EQ(hinted.headers.size(), 2U);
    EXPECT_EQ(hinted.headers.get("link"), "</app.css>; rel=preload; as=style");
    EXPECT_EQ(hinted.headers[1].value, "</app.js>; rel=preload");
    EXPECT_FALSE(hinted.closed);
    EXPECT_EQ(whole.informational, std::vector<int>{103});
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, "page");
    EXPECT_TRUE(whole.ended);
    EXPECT_EQ(twice.informational, (std::vector<int>{103, 103}));
    EXPECT_EQ(twice.body, "slow");
    serve(false, sim, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        without = co_await call(*client, get("/"));
    });
    EXPECT_TRUE(without.informational.empty());
    EXPECT_EQ(without.body, "page");
}

BENNU_SIM_TEST(EarlyHints, over_http_2_neither_late_nor_bad_ones_are_sent, sim) {
    LogCapture log;
    Http2Reply late, bad, after;
    serve(true, sim, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        late = co_await call(*client, get("/late"));
        bad = co_await call(*client, get("/bad"));
        // Nobody is there for the hints, nor for the second of them, nor for a connection's.
        const auto gone = co_await call(*client, Http2Client::Begin{{{":path", "/slow"}}, true});
        const auto half = co_await call(*client, Http2Client::Begin{{{":path", "/slow"}}, true});
        co_await sleep(10ms);
        cast(*client, Http2Client::Reset{gone});
        co_await sleep(60ms);
        cast(*client, Http2Client::Reset{half});
        co_await sleep(1s);
        after = co_await call(*client, get("/"));
        (void)co_await call(*client, Http2Client::Begin{{{":path", "/slow"}}, true});
        co_await sleep(10ms);
        kill(client->pid(), "leaves");
        co_await sleep(1s);
    });
    EXPECT_TRUE(late.informational.empty());
    EXPECT_EQ(late.body, "firstlast");
    EXPECT_EQ(bad.status, 500);
    EXPECT_TRUE(bad.informational.empty());
    EXPECT_EQ(after.informational, std::vector<int>{103});
    EXPECT_EQ(after.body, "page");
}

// Else they would fill our memory, and the client be taken for one that floods us.
TEST(EarlyHints, those_that_a_client_does_not_take_are_left_out) {
    Http2Reply many, after;
    serve(true, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        many = co_await call(*client, get("/many"), CallOptions{.timeout = 200s});
        after = co_await call(*client, get("/"));
    });
    EXPECT_EQ(many.body, "many");
    EXPECT_GT(many.informational.size(), 200U);
    EXPECT_LT(many.informational.size(), 20'000U);
    EXPECT_EQ(after.informational, std::vector<int>{103});
    EXPECT_EQ(after.body, "page");
}

}  // namespace web_early_hints_test
}  // namespace bennu
