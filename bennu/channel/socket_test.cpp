// The handshake: what the router's side of a socket refuses, and with which status.
#include "bennu/channel/socket.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::socket_test {

struct NoChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
};

struct Seen {
    std::string token;
    Json params;
};

TestClient client(std::shared_ptr<Seen> seen = std::make_shared<Seen>()) {
    auto router = std::make_shared<Router>();
    mount_socket(*router, {.channels = {channel<NoChannel>("*")},
                           .connect = [seen](ConnectRequest request) -> Task<Result<Connected>> {
                               seen->token = request.auth_token;
                               seen->params = request.params;
                               if (request.params.contains("deny"))
                                   co_return Error(ErrorKind::unauthorized);
                               if (request.params.contains("busy"))
                                   co_return Error(ErrorKind::overloaded);
                               co_return Connected{};
                           },
                           .origins = {"https://friend.example", "bare.example"}});
    return TestClient(router);
}

TestRequest handshake(std::string query,
                      std::vector<std::pair<std::string, std::string>> extra = {}) {
    TestRequest request{.target = "/socket/websocket" + query,
                        .headers = {{"host", "app.example"},
                                    {"connection", "Upgrade"},
                                    {"upgrade", "websocket"},
                                    {"sec-websocket-version", "13"},
                                    {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}}};
    for (auto& header : extra) request.headers.push_back(std::move(header));
    return request;
}

TEST(SocketHandshake, opens) {
    auto seen = std::make_shared<Seen>();
    auto response = client(seen).send(handshake("?a%5Bb%5D=c&vsn=2.0.0"));
    EXPECT_EQ(response.status, 101);
    EXPECT_TRUE(response.websocket);
    EXPECT_EQ(response.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_FALSE(response.headers.contains("sec-websocket-protocol"));
    EXPECT_EQ(to_json(seen->params), R"({"a":{"b":"c"},"vsn":"2.0.0"})");
}

TEST(SocketHandshake, takes_no_version_for_version_one) {
    EXPECT_EQ(client().send(handshake("")).status, 101);
    EXPECT_EQ(client().send(handshake("?vsn=1.0.0")).status, 101);
}

TEST(SocketHandshake, takes_the_auth_token_from_the_subprotocols) {
    auto seen = std::make_shared<Seen>();
    auto response = client(seen).send(handshake(
        "?vsn=2.0.0", {{"sec-websocket-protocol", "phoenix, base64url.bearer.phx.c2VjcmV0IQ"}}));
    EXPECT_EQ(response.status, 101);
    EXPECT_EQ(response.header("sec-websocket-protocol"), "phoenix");
    EXPECT_EQ(seen->token, "secret!");
}

TEST(SocketHandshake, refuses) {
    auto test = client();
    for (auto vsn : {"?vsn=two", "?vsn=", "?vsn=3.0.0", "?vsn%5Ba%5D=2.0.0"}) {
        EXPECT_EQ(test.send(handshake(vsn)).status, 403) << vsn;
    }
    EXPECT_EQ(test.send(handshake("?vsn=2.0.0", {{"sec-websocket-protocol", "mqtt"}})).status, 403);
    EXPECT_EQ(test.send(handshake("?vsn=2.0.0&deny=1")).status, 403);
    EXPECT_EQ(test.send(handshake("?vsn=2.0.0&busy=1")).status, 503);
    EXPECT_EQ(test.get("/socket/websocket?vsn=2.0.0").status / 100, 4);
    for (auto method : {net::Method::head, net::Method::post, net::Method::put, net::Method::patch,
                        net::Method::delete_, net::Method::options}) {
        TestRequest request = handshake("?vsn=2.0.0");
        request.method = method;
        EXPECT_EQ(test.send(std::move(request)).status, 400) << net::to_string(method);
    }
}

TEST(SocketHandshake, checks_origins) {
    auto test = client();
    for (auto good : {"http://app.example", "https://app.example", "https://friend.example",
                      "http://bare.example"}) {
        EXPECT_EQ(test.send(handshake("?vsn=2.0.0", {{"origin", good}})).status, 101) << good;
    }
    LogCapture log;
    for (auto bad : {"https://evil.example", "http://friend.example", "null",
                     "https://app.example.evil.example"}) {
        EXPECT_EQ(test.send(handshake("?vsn=2.0.0", {{"origin", bad}})).status, 403) << bad;
    }
    for (auto told : {"https://evil.example", "app.example (the host", "https://friend.example",
                      "SocketOptions::origins", "check_origin"}) {
        EXPECT_TRUE(log.contains(told)) << told;
    }
}

}  // namespace bennu::socket_test
