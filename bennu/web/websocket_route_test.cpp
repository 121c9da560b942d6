#include "bennu/web/websocket_route.hpp"

#include <gtest/gtest.h>

#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace {

struct SilentSocket : net::WebSocketHandler {
    void on_open(net::WebSocketConnection&) override {}
    void on_text(net::WebSocketConnection&, std::string_view) override {}
    void on_binary(net::WebSocketConnection&, std::string_view) override {}
};

TestClient socket_client(OriginPolicy policy = {}) {
    auto router = std::make_shared<Router>();
    router->plug(SecureHeaders{});
    router->websocket("/socket", [policy](Conn conn) {
        if (!origin_allowed(conn, policy)) {
            return error_status(conn, 403, "origin", "This page may not connect.");
        }
        return websocket(conn, std::make_unique<SilentSocket>(), {.protocols = {"v2", "v1"}});
    });
    return TestClient(router);
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

TEST(WebSocketRoute, checks_the_origin) {
    struct Row {
        std::string origin;
        std::string host;
        bool allowed;
    };
    const Row rows[] = {
        {"http://app.test", "app.test", true},
        {"https://app.test", "app.test", true},
        {"https://app.test", "app.test:443", true},
        {"http://app.test:4000", "app.test:4000", true},
        {"https://APP.test", "app.test", true},
        {"https://partner.example", "app.test", true},
        {"http://a.friends.example", "app.test", true},
        {"http://partner.example", "app.test", false},
        {"https://evil-app.test", "app.test", false},
        {"https://app.test.evil.example", "app.test", false},
        {"https://app.test@evil.example", "app.test", false},
        {"http://friends.example", "app.test", false},
        {"http://evilfriends.example", "app.test", false},
        {"http://app.test:4001", "app.test:4000", false},
        {"null", "app.test", false},
        {"app.test", "app.test", false},
        {"https://", "app.test", false},
    };
    OriginPolicy policy{.allowed = {"https://partner.example", "//*.friends.example"}};
    for (const Row& row : rows) {
        auto response = socket_client(policy).send(
            {.target = "/socket",
             .headers = handshake({{"origin", row.origin}, {"host", row.host}})});
        EXPECT_EQ(response.status, row.allowed ? 101 : 403) << row.origin << " at " << row.host;
    }
    EXPECT_EQ(socket_client().send({.target = "/socket", .headers = handshake()}).status, 101);
}

}  // namespace
}  // namespace bennu
