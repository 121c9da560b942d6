// Which pages may open a socket: each form of a pattern, against origins that fit and that do not.
#include "bennu/channel/socket.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::socket_origins_test {

struct NoChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
};

/// What a page of that origin gets of a socket at `app.example:4000`.
TestResponse open(SocketOptions options, std::string origin, Environment environment,
                  std::string_view transport = "websocket") {
    LogCapture quiet;
    options.channels = {channel<NoChannel>("*")};
    auto router = std::make_shared<Router>();
    mount_socket(*router, std::move(options));
    TestRequest request{.target = "/socket/" + std::string(transport) + "?vsn=2.0.0",
                        .headers = {{"host", "app.example:4000"},
                                    {"connection", "Upgrade"},
                                    {"upgrade", "websocket"},
                                    {"sec-websocket-version", "13"},
                                    {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}}};
    if (!origin.empty()) request.headers.emplace_back("origin", origin);
    return TestClient(router, {.hosts = {"*"}, .environment = environment})
        .send(std::move(request));
}

int status(SocketOptions options, std::string origin) {
    return open(std::move(options), std::move(origin), Environment::prod).status;
}

int status(std::string pattern, std::string origin) {
    return status(SocketOptions{.origins = {std::move(pattern)}}, std::move(origin));
}

TEST(SocketOrigins, the_host_of_the_request_may_whatever_its_port_and_scheme) {
    for (auto origin : {"http://app.example:4000", "http://app.example", "https://app.example",
                        "http://app.example:5173", "http://APP.example:5173", ""}) {
        EXPECT_EQ(status(SocketOptions(), origin), 101) << origin;
    }
    for (auto origin : {"http://other.example:4000", "http://sub.app.example:4000",
                        "http://app.example.evil.example", "http://app.example@evil.example",
                        "http://app.example:x", "app.example", "http://", "null"}) {
        EXPECT_EQ(status(SocketOptions(), origin), 403) << origin;
    }
}

TEST(SocketOrigins, port_and_scheme_count_where_the_app_says_so) {
    auto exact = [](std::string origin) {
        return status({.origins = {"https://a.example"}, .exact_origin = true}, std::move(origin));
    };
    for (auto origin : {"http://app.example:4000", "https://app.example:4000", "https://a.example"})
        EXPECT_EQ(exact(origin), 101) << origin;
    for (auto origin : {"http://app.example", "http://app.example:5173", "http://a.example"})
        EXPECT_EQ(exact(origin), 403) << origin;
}

TEST(SocketOrigins, a_pattern_says_as_much_as_it_says) {
    struct Row {
        std::string pattern;
        std::vector<std::string> fit;
        std::vector<std::string> unfit;
    };
    const Row rows[] = {
        {"https://a.example",
         {"https://a.example", "https://a.example:443", "https://A.example"},
         {"http://a.example", "https://a.example:8443", "https://b.a.example"}},
        {"https://a.example:8443",
         {"https://a.example:8443"},
         {"https://a.example", "http://a.example:8443"}},
        {"//a.example",
         {"http://a.example", "https://a.example:8443", "capacitor://a.example"},
         {"http://b.a.example", "http://xa.example"}},
        {"a.example", {"http://a.example:8080", "https://a.example"}, {"http://b.example"}},
        {"//a.example:8080",
         {"http://a.example:8080", "https://a.example:8080"},
         {"http://a.example"}},
        {"a.example:80", {"http://a.example"}, {"https://a.example", "http://a.example:81"}},
        {"//*.a.example",
         {"http://b.a.example", "https://c.b.a.example:1", "http://a.example"},
         {"http://xa.example", "http://a.example.evil.example"}},
        {"https://*.a.example:8443",
         {"https://b.a.example:8443", "https://a.example:8443"},
         {"https://b.a.example", "http://b.a.example:8443"}},
        {"http://[::1]:5173", {"http://[::1]:5173"}, {"http://[::1]", "http://[::2]:5173"}},
        {"https://a.example/", {"https://a.example"}, {"https://b.example"}},
    };
    for (const Row& row : rows) {
        for (const std::string& origin : row.fit)
            EXPECT_EQ(status(row.pattern, origin), 101) << row.pattern << " and " << origin;
        for (const std::string& origin : row.unfit)
            EXPECT_EQ(status(row.pattern, origin), 403) << row.pattern << " and " << origin;
    }
}

TEST(SocketOrigins, without_the_check_all_may) {
    for (auto origin : {"https://evil.example", "null", "nonsense"})
        EXPECT_EQ(status(SocketOptions{.check_origin = false}, origin), 101) << origin;
}

TEST(SocketOrigins, the_refusal_says_what_to_change_to_developers_alone) {
    for (auto transport : {"websocket", "longpoll"}) {
        const std::string dev =
            open({.origins = {"//a.example"}}, "https://evil.example", Environment::dev, transport)
                .body;
        for (auto told :
             {"https://evil.example", "app.example", "//a.example", "SocketOptions::origins"})
            EXPECT_TRUE(dev.contains(told)) << transport << ": " << dev;
        const std::string prod =
            open({.origins = {"//a.example"}}, "https://evil.example", Environment::prod, transport)
                .body;
        EXPECT_FALSE(prod.contains("a.example")) << transport << ": " << prod;
        EXPECT_TRUE(prod.contains("403") || prod.contains("origin_not_allowed")) << prod;
    }
}

TEST(SocketOrigins, a_pattern_without_a_host_cannot_be_mounted) {
    for (auto pattern : {"", "https://", "*", "//*.", "a.example:port", "https://user@a.example"})
        EXPECT_THROW(status(pattern, ""), std::invalid_argument) << pattern;
}

}  // namespace bennu::socket_origins_test
