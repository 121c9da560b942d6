#include "bennu/web/websocket_route.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace {

struct SilentSocket : net::WebSocketHandler {
    void on_open(net::WebSocketConnection&) override {}
    void on_text(net::WebSocketConnection&, std::string_view) override {}
    void on_binary(net::WebSocketConnection&, std::string_view) override {}
};

/// The default is a route that says nothing of origins.
TestClient socket_client(RouteOptions options = {}, Environment environment = Environment::test) {
    auto router = std::make_shared<Router>();
    router->plug(SecureHeaders{});
    router->websocket(
        "/socket",
        [](Conn conn) {
            return websocket(conn, std::make_unique<SilentSocket>(), {.protocols = {"v2", "v1"}});
        },
        std::move(options));
    return TestClient(router, {.hosts = {"*"}, .environment = environment});
}

using HeaderList = std::vector<std::pair<std::string, std::string>>;

HeaderList handshake(HeaderList more = {}) {
    HeaderList headers = {{"connection", "Upgrade"},
                          {"upgrade", "websocket"},
                          {"sec-websocket-version", "13"},
                          {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    headers.insert(headers.end(), more.begin(), more.end());
    return headers;
}

TEST(WebSocketRoute, upgrades) {
    auto response = socket_client().send(
        {.target = "/socket?vsn=2.0.0", .headers = handshake({{"sec-websocket-protocol", "v1"}})});
    EXPECT_EQ(response.status, 101);
    EXPECT_TRUE(response.websocket);
    EXPECT_EQ(response.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(response.header("sec-websocket-protocol"), "v1");
}

TEST(WebSocketRoute, refuses_what_is_no_handshake) {
    auto client = socket_client();
    auto plain = client.get("/socket");
    EXPECT_EQ(plain.status, 426);
    EXPECT_EQ(plain.header("upgrade"), "websocket");
    EXPECT_EQ(plain.header("x-content-type-options"), "nosniff");
    auto old = handshake();
    old[2].second = "8";
    auto refused = client.send({.target = "/socket", .headers = old});
    EXPECT_EQ(refused.status, 426);
    EXPECT_EQ(refused.header("sec-websocket-version"), "13");
    auto headers = handshake();
    headers.back().second = "short";
    EXPECT_EQ(client.send({.target = "/socket", .headers = headers}).status, 400);
    EXPECT_EQ(client.post("/socket", Json::object()).status, 405);
}

int status(const OriginPolicy& policy, std::string origin, std::string host) {
    LogCapture quiet;
    return socket_client({.origins = policy})
        .send({.target = "/socket",
               .headers = handshake({{"origin", std::move(origin)}, {"host", std::move(host)}})})
        .status;
}

TEST(WebSocketRoute, checks_the_origin) {
    struct Row {
        std::string origin;
        std::string host;
        bool allowed;
        bool allowed_exactly;
    };
    const Row rows[] = {
        {"http://app.test", "app.test", true, true},
        {"https://app.test", "app.test", true, true},
        {"https://app.test", "app.test:443", true, true},
        {"http://app.test:4000", "app.test:4000", true, true},
        {"https://APP.test", "app.test", true, true},
        {"https://partner.example", "app.test", true, true},
        {"http://a.friends.example", "app.test", true, true},
        {"http://partner.example", "app.test", false, false},
        {"https://evil-app.test", "app.test", false, false},
        {"https://app.test.evil.example", "app.test", false, false},
        {"https://app.test@evil.example", "app.test", false, false},
        {"http://evilfriends.example", "app.test", false, false},
        {"http://sub.app.test", "app.test", false, false},
        {"http://app.test:4001", "app.test:4000", true, false},
        {"http://my_app:4000", "my_app:4000", true, true},
        {"http://other_app", "my_app", true, true},  // one of `allowed`
        {"http://app.test:x", "app.test", false, false},
        {"null", "app.test", false, false},
        {"app.test", "app.test", false, false},
        {"https://", "app.test", false, false},
    };
    OriginPolicy policy{
        .allowed = {"https://partner.example", "//*.friends.example", "http://other_app"}};
    OriginPolicy exact = policy;
    exact.exact = true;
    for (const Row& row : rows) {
        EXPECT_EQ(status(policy, row.origin, row.host), row.allowed ? 101 : 403)
            << row.origin << " at " << row.host;
        EXPECT_EQ(status(exact, row.origin, row.host), row.allowed_exactly ? 101 : 403)
            << row.origin << " exactly at " << row.host;
        EXPECT_EQ(status({.check = false}, row.origin, row.host), 101) << row.origin;
    }
    EXPECT_EQ(socket_client().send({.target = "/socket", .headers = handshake()}).status, 101);
}

TEST(WebSocketRoute, a_route_that_says_nothing_lets_no_page_of_another_site_in) {
    LogCapture log;
    TestRequest request{
        .target = "/socket",
        .headers = handshake({{"host", "app.test"}, {"origin", "https://evil.example"}})};
    auto refused = socket_client({}, Environment::prod).send(request);
    EXPECT_EQ(refused.status, 403);
    EXPECT_FALSE(refused.websocket);
    EXPECT_TRUE(refused.body.contains("origin_not_allowed")) << refused.body;
    EXPECT_FALSE(refused.body.contains("RouteOptions")) << refused.body;
    EXPECT_EQ(refused.header("x-content-type-options"), "nosniff");
    EXPECT_TRUE(log.contains("a socket is refused for its origin"));
    EXPECT_TRUE(log.contains("RouteOptions::origins.allowed"));
    auto told = socket_client({}, Environment::dev).send(request).body;
    for (auto part : {"https://evil.example", "app.test", "RouteOptions::origins.allowed",
                      "RouteOptions::origins.check"})
        EXPECT_TRUE(told.contains(part)) << part << " in " << told;
}

Response ticker(const Conn& conn) {
    return websocket(conn, std::make_unique<SilentSocket>());
}

TEST(WebSocketRoute, more_pages_or_all_may_where_the_route_says_so) {
    auto router = std::make_shared<Router>();
    router->websocket("/ticker", &ticker, {.origins = {.allowed = {"https://partner.example"}}});
    router->websocket("/public", &ticker, {.origins = {.check = false}});  // every page may
    LogCapture quiet;
    TestClient client(router);
    auto open = [&](std::string path, std::string origin) {
        return client
            .send(
                {.target = std::move(path), .headers = handshake({{"origin", std::move(origin)}})})
            .status;
    };
    EXPECT_EQ(open("/ticker", "https://partner.example"), 101);
    EXPECT_EQ(open("/ticker", "https://evil.example"), 403);
    EXPECT_EQ(open("/public", "https://evil.example"), 101);
}

TEST(WebSocketRoute, an_origin_that_is_none_is_a_mistake_of_the_table) {
    Router router;
    router.websocket("/socket", [](Conn conn) { return no_content(conn); },
                     {.origins = {.allowed = {"https://user@a.example"}}});
    Result<> compiled = router.compile();
    ASSERT_FALSE(compiled);
    EXPECT_TRUE(compiled.error().message().contains("https://user@a.example"));
}

TEST(WebSocketRoute, a_router_that_forwards_checks_as_the_route_says) {
    Router inner;
    inner.websocket("/own", &ticker);
    inner.websocket("/open", &ticker, {.origins = {.check = false}});
    auto router = std::make_shared<Router>();
    router->forward("/live", inner);
    LogCapture quiet;
    for (auto [path, status] : {std::pair("/live/own", 403), std::pair("/live/open", 101)}) {
        auto response = TestClient(router).send(
            {.target = path, .headers = handshake({{"origin", "https://evil.example"}})});
        EXPECT_EQ(response.status, status) << path;
    }
}

}  // namespace
}  // namespace bennu
