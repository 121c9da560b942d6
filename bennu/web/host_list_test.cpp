#include "bennu/web/host_list.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/trusted_proxies.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::host_list_test {

using namespace std::chrono_literals;

HostList list_of(std::vector<std::string> hosts, Environment environment = Environment::prod) {
    return HostList::make({.hosts = std::move(hosts), .environment = environment}).value();
}

std::string machine_name() {
    std::array<char, 256> text{};
    EXPECT_EQ(::gethostname(text.data(), text.size() - 1), 0);
    return text.data();
}

const std::string always[] = {"localhost",
                              "LOCALHOST:4000",
                              "localhost.",
                              "app.localhost",
                              "my.test:4000",
                              "127.0.0.1:4000",
                              "203.0.113.9",
                              "[::1]:4000",
                              "[2001:db8::1]",
                              machine_name(),
                              machine_name() + ":4000",
                              ""};

TEST(HostList, names_those_that_are_configured_and_what_no_page_can_have) {
    const HostList list = list_of({"app.example", "*.shops.example", "my_app"});
    for (const std::string& host : always) EXPECT_TRUE(list.admits(host)) << host;
    for (auto host : {"app.example", "APP.example:8443", "app.example.", "a.shops.example",
                      "a.b.shops.example:80", "my_app:4000"})
        EXPECT_TRUE(list.admits(host)) << host;
    for (auto host : {"rebind.evil.example", "rebind.evil.example:4711", "app.example.evil.example",
                      "evil-app.example", "sub.app.example", "shops.example", "evilshops.example",
                      "127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost", "1.2.3",
                      "0x7f.1", "[::1", "[::1].evil.example", "[app.example]", "test", "."})
        EXPECT_FALSE(list.admits(host)) << host;
}

TEST(HostList, without_names_only_a_developer_is_particular) {
    for (const std::string& host : always)
        EXPECT_TRUE(list_of({}, Environment::dev).admits(host)) << host;
    EXPECT_FALSE(list_of({}, Environment::dev).admits("evil.example"));
    EXPECT_TRUE(list_of({}, Environment::prod).admits("evil.example"));
    EXPECT_TRUE(list_of({}, Environment::test).admits("evil.example"));
    EXPECT_TRUE(list_of({"app.example", "*"}, Environment::dev).admits("evil.example"));
}

TEST(HostList, what_is_no_name_fails_the_start) {
    for (auto bad : {"", "https://app.example", "app.example:443", "*.", "**", "a.*.example",
                     "app.example/", "user@app.example"}) {
        auto endpoint = Endpoint::make({.hosts = {bad}}, std::make_shared<Router>());
        ASSERT_FALSE(endpoint) << bad;
        EXPECT_EQ(endpoint.error().code(), "bad_host") << bad;
    }
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->plug([](const Conn& conn) -> std::optional<Response> {
        if (conn.path() != "/from-a-plug") return std::nullopt;
        return text(conn, 200, "secret");
    });
    router->plug(AccessLog{});
    router->plug(SecureHeaders{});
    // Stands last, and is asked first.
    router->plug(TrustedProxies({"10.0.0.1"}));
    router->get("/", [](Conn conn) { return text(conn, 200, "secret"); });
    return router;
}

TEST(HostList, every_request_for_another_host_is_refused_and_told_what_to_change) {
    LogCapture log;
    TestClient client(make_router(), {.hosts = {"app.example"}});
    for (auto target : {"/", "/from-a-plug", "/nowhere", "/../x"}) {
        TestResponse refused =
            client.send({.target = target, .headers = {{"host", "rebind.evil.example:4711"}}});
        EXPECT_EQ(refused.status, 421) << target;
        EXPECT_TRUE(refused.body.contains("unknown_host")) << refused.body;
        EXPECT_TRUE(refused.body.contains("rebind.evil.example")) << refused.body;
        EXPECT_TRUE(refused.body.contains("endpoint.hosts")) << refused.body;
        EXPECT_FALSE(refused.body.contains("secret")) << refused.body;
        EXPECT_EQ(refused.header("x-content-type-options"), "nosniff");
    }
    EXPECT_TRUE(log.contains("a request is refused for its host"));
    EXPECT_TRUE(log.contains("status=421"));
    for (auto host : {"app.example", "localhost:4000", "127.0.0.1"})
        EXPECT_EQ(client.send({.headers = {{"host", host}}}).status, 200) << host;
    // A page sees the name as text.
    TestResponse page =
        client.send({.headers = {{"host", "evil.example"}, {"accept", "text/html"}}});
    EXPECT_EQ(page.status, 421);
    EXPECT_TRUE(page.header("content-type").starts_with("text/html"));
}

TEST(HostList, behind_a_proxy_it_is_the_host_that_the_client_asked_for) {
    TestClient client(make_router(), {.hosts = {"app.example"}});
    auto through = [&](std::string peer, std::string forwarded) {
        return client
            .send({.headers = {{"host", "upstream"},
                               {"x-forwarded-for", "203.0.113.9"},
                               {"x-forwarded-host", std::move(forwarded)}},
                   .peer = {std::move(peer), 1}})
            .status;
    };
    EXPECT_EQ(through("10.0.0.1", "app.example"), 200);
    EXPECT_EQ(through("10.0.0.1", "evil.example"), 421);
    EXPECT_EQ(through("10.0.0.2", "app.example"), 421);
}

TEST(HostList, counts_on_both_wires) {
    std::string refused, served, absolute, without;
    int over_http2 = 0, own_over_http2 = 0;
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        auto endpoint =
            Endpoint::make({.port = 8000, .hosts = {"app.example"}}, make_router()).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await require(
            co_await start<net::HttpServer>({}, endpoint->server_options(), handler));
        const SocketAddress address{"127.0.0.1", 8000};
        refused = co_await net::exchange(
            address, "GET / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
        served = co_await net::exchange(
            address, "GET / HTTP/1.1\r\nhost: app.example\r\nconnection: close\r\n\r\n");
        // The address in the first line counts, not the header.
        absolute = co_await net::exchange(address,
                                          "GET http://evil.example/ HTTP/1.1\r\nhost: "
                                          "app.example\r\nconnection: close\r\n\r\n");
        without = co_await net::exchange(address, "GET / HTTP/1.0\r\n\r\n");
        auto client = (co_await start<net::Http2Client>({}, address)).value();
        for (const char* authority : {"evil.example", "app.example"}) {
            const auto answer =
                co_await call(client, net::Http2Client::Ask{{{":authority", authority}}});
            (std::string_view(authority) == "app.example" ? own_over_http2 : over_http2) =
                answer.status;
        }
        co_await stop_and_wait(server.pid(), 30s);
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 421 ")) << refused;
    EXPECT_TRUE(served.starts_with("HTTP/1.1 200 ")) << served;
    EXPECT_TRUE(absolute.starts_with("HTTP/1.1 421 ")) << absolute;
    EXPECT_TRUE(without.contains(" 200 ")) << without;
    EXPECT_EQ(over_http2, 421);
    EXPECT_EQ(own_over_http2, 200);
}

}  // namespace bennu::host_list_test
