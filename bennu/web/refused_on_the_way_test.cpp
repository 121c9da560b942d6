// Which plugs take part in a request that cannot get to an action.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/rate_limit.hpp"
#include "bennu/web/protect/trusted_proxies.hpp"
#include "bennu/web/testing.hpp"
#include "bennu/web/websocket_route.hpp"

namespace bennu::refused_on_the_way_test {

using namespace std::chrono_literals;

struct Begun {
    std::string path;
};

/// Its second half counts on its first, as any may.
struct Stopwatch {
    bool without_body = false;
    void before(const Conn& conn) const { conn.assign(Begun{std::string(conn.path())}); }
    void after(const Conn& conn, Response& response) const {
        response.headers.set("x-begun", conn.get<Begun>().path);
    }
    bool needs_body(const Conn&) const { return !without_body; }
};

struct Closing {
    void after(const Conn&, Response& response) const { response.headers.set("x-closed", "yes"); }
};

struct Silent : net::WebSocketHandler {
    void on_open(net::WebSocketConnection&) override {}
    void on_text(net::WebSocketConnection&, std::string_view) override {}
    void on_binary(net::WebSocketConnection&, std::string_view) override {}
};

void add_routes(Router& router) {
    auto done = [](Conn conn) { return text(conn, 200, "done"); };
    router.get("/narrow", done, {.head_limits = {.fields = 1}});
    router.post("/narrow", done, {.head_limits = {.fields = 1}});
    router.websocket("/socket",
                     [](Conn conn) { return websocket(conn, std::make_unique<Silent>()); });
}

struct Refusal {
    std::string target;
    int status;
};
const Refusal refusals[] = {{"/a/../b", 400}, {"/socket", 426}, {"/narrow", 431}};

TestRequest to(const std::string& target) {
    return {.target = target, .headers = {{"x", "1"}, {"y", "2"}}, .peer = {"10.0.0.1", 1}};
}

TEST(RefusedOnTheWay, who_asks_is_known_and_both_halves_of_a_plug_run) {
    LogCapture log;
    auto router = std::make_shared<Router>();
    router->plug(AccessLog{});
    router->plug(Stopwatch{});
    router->plug(Closing{});
    router->plug(TrustedProxies({"10.0.0.1"}));
    add_routes(*router);
    TestClient client(router);
    for (const auto& [target, status] : refusals) {
        TestRequest request = to(target);
        request.headers.emplace_back("x-forwarded-for", "203.0.113." + std::to_string(status % 97));
        TestResponse answer = client.send(request);
        EXPECT_EQ(answer.status, status) << target;
        EXPECT_EQ(answer.header("x-begun"), target);
        EXPECT_EQ(answer.header("x-closed"), "yes");
        EXPECT_TRUE(log.contains("peer=203.0.113." + std::to_string(status % 97))) << target;
    }
}

TEST(RefusedOnTheWay, a_limit_counts_and_a_plug_may_answer_itself) {
    for (const auto& [target, status] : refusals) {
        auto router = std::make_shared<Router>();
        router->plug(
            RateLimit({.rule = {.limit = 2, .per = 1h}, .store = std::make_shared<MemoryRates>()}));
        add_routes(*router);
        TestClient client(router);
        EXPECT_EQ(client.send(to(target)).status, status);
        EXPECT_EQ(client.send(to(target)).status, status);
        EXPECT_EQ(client.send(to(target)).status, 429) << target;
    }
}

/// Nobody receives the body of a refused request: a plug that may look at it is left out, with all
/// that come after it, but for those that only see the response.
TEST(RefusedOnTheWay, the_pipeline_ends_where_a_body_would_be_needed) {
    std::string answer;
    LogCapture log;
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        auto router = std::make_shared<Router>();
        router->plug([](const Conn& conn) { conn.put_header("x-may-look", "yes"); });
        router->plug(Stopwatch{.without_body = true});
        router->plug(Closing{});
        router->plug(AccessLog{});
        add_routes(*router);
        auto endpoint = Endpoint::make({.port = 8000}, router).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await require(
            co_await start<net::HttpServer>({}, endpoint->server_options(), handler));
        answer = co_await net::exchange({"127.0.0.1", 8000},
                                        "POST /narrow HTTP/1.1\r\nhost: a\r\ncontent-length: "
                                        "100000\r\nconnection: close\r\n\r\n");
        co_await stop_and_wait(server.pid(), 30s);
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
    EXPECT_FALSE(answer.contains("x-may-look")) << answer;
    EXPECT_FALSE(answer.contains("x-begun")) << answer;
    EXPECT_TRUE(answer.contains("x-closed: yes")) << answer;
    EXPECT_TRUE(log.contains("path=/narrow status=431"));
}

TEST(RefusedOnTheWay, a_busy_route_is_no_way_around_a_limit) {
    int busy = 0, limited = 0;
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        auto router = std::make_shared<Router>();
        router->plug(Stopwatch{});
        router->plug(
            RateLimit({.rule = {.limit = 3, .per = 1h}, .store = std::make_shared<MemoryRates>()}));
        router->get("/slow",
                    [](Conn conn) -> Task<Response> {
                        co_await sleep(10s);
                        co_return text(conn, 200, "done");
                    },
                    {.max_concurrent = 1});
        TestClient client(router);
        co_await scoped([&](Scope& scope) -> Task<> {
            scope.run([](TestClient& asked) -> Task<> {
                EXPECT_EQ((co_await asked.request({.target = "/slow"})).status, 200);
            }(client));
            co_await sleep(1s);
            for (int i = 0; i < 4; ++i) {
                TestResponse answer = co_await client.request({.target = "/slow"});
                EXPECT_EQ(answer.header("x-begun"), "/slow");
                busy += answer.status == 503;
                limited += answer.status == 429;
            }
        });
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(busy, 2);
    EXPECT_EQ(limited, 2);
}

}  // namespace bennu::refused_on_the_way_test
