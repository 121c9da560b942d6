#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "bennu/net/address_counts.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/https_redirect.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::listener_test {

using namespace std::chrono_literals;

/// Tells the client who it is.
struct PeerHandler : TestHandler {
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (!becomes_silent_socket(request, response))
            response.body = "peer " + request.peer.to_string();
        co_return response;
    }
};

Task<Result<Ref<HttpServer>>> start_server(HttpServerOptions options) {
    std::shared_ptr<const HttpHandler> handler = std::make_shared<PeerHandler>();
    co_return co_await start<HttpServer>({}, std::move(options), std::move(handler));
}

SimOutcome serve(SimOptions sim, HttpServerOptions options,
                 Function<Task<>(Ref<HttpServer>, SocketAddress)> client) {
    return simulate(sim, [options, client = std::move(client)]() mutable -> Task<Result<>> {
        options.address = {"127.0.0.1", 8000};
        auto server = co_await start_server(options);
        co_await client(*server, options.address);
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
}

constexpr std::string_view request = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

BENNU_SIM_TEST(ProxyListener, the_header_names_the_client, options) {
    std::string named, unknown, missing, pipelined;
    serve(options, {.proxy_protocol = true}, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
        std::string line = "PROXY TCP4 203.0.113.9 198.51.100.1 5000 80\r\n";
        named = co_await exchange(address, line + std::string(request));
        pipelined = co_await exchange(
            address, line + "GET /a HTTP/1.1\r\nhost: x\r\n\r\n" + std::string(request));
        unknown = co_await exchange(address, "PROXY UNKNOWN\r\n" + std::string(request));
        missing = co_await exchange(address, std::string(request));
    });
    EXPECT_TRUE(named.ends_with("peer 203.0.113.9:5000")) << named;
    EXPECT_TRUE(pipelined.ends_with("peer 203.0.113.9:5000")) << pipelined;
    EXPECT_TRUE(unknown.contains("peer 127.0.0.1:")) << unknown;
    EXPECT_EQ(missing, "");
}

BENNU_SIM_TEST(ProxyListener, the_header_comes_before_the_handshake, options) {
    TlsCertificate certificate = make_test_certificate({"localhost"});
    std::string answer;
    serve(options, {.proxy_protocol = true, .tls = TlsOptions{.certificates = {certificate}}},
          [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
              auto tls = TlsContext::client({.authorities = certificate.certificate}).value();
              auto client = co_await start<RawClient>(
                  {}, address, tls, "localhost", "PROXY TCP6 2001:db8::9 2001:db8::1 5000 443\r\n");
              cast(*client, RawClient::Send{std::string(request)});
              answer = co_await call(*client, RawClient::ReadAll{}, {.timeout = 60s});
          });
    EXPECT_TRUE(answer.ends_with("peer [2001:db8::9]:5000")) << answer;
}

TEST(ProxyListener, silence_is_cut_off) {
    std::string silent;
    SimOutcome outcome =
        serve({}, {.proxy_protocol = true}, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
            silent = co_await exchange(address, "PROXY TC");
        });
    EXPECT_EQ(silent, "");
    EXPECT_LT(outcome.virtual_time, 10s);
}

BENNU_SIM_TEST(PerAddress, one_client_cannot_take_all_connections, options) {
    std::string beyond, other, after;
    serve(options, {.per_ip = 3, .proxy_protocol = true},
          [&](Ref<HttpServer> server, SocketAddress address) -> Task<> {
              std::string line = "PROXY TCP4 203.0.113.9 198.51.100.1 5000 80\r\n";
              std::vector<Ref<RawClient>> held;
              for (int i = 0; i < 3; ++i) {
                  held.push_back(*co_await start<RawClient>({}, address));
                  cast(held.back(), RawClient::Send{line});
              }
              // A WebSocket goes on to count.
              cast(held[0],
                   RawClient::Send{"GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: "
                                   "websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: "
                                   "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"});
              (void)co_await call(held[0], RawClient::ReadUntil{"\r\n\r\n"});
              co_await sleep(1s);
              EXPECT_EQ(co_await call(server, HttpServer::Connections{}), 3U);
              beyond = co_await exchange(address, line + std::string(request));
              other =
                  co_await exchange(address, "PROXY TCP4 203.0.113.10 198.51.100.1 5000 80\r\n" +
                                                 std::string(request));
              for (Ref<RawClient> client : held) cast(client, RawClient::Disconnect{});
              co_await sleep(5s);
              after = co_await exchange(address, line + std::string(request));
          });
    EXPECT_EQ(beyond, "");
    EXPECT_TRUE(other.ends_with("peer 203.0.113.10:5000")) << other;
    EXPECT_TRUE(after.ends_with("peer 203.0.113.9:5000")) << after;
}

TEST(PerAddress, loopback_counts_only_when_asked) {
    for (bool counted : {false, true}) {
        serve({}, {.per_ip = 2, .per_ip_loopback = counted},
              [&](Ref<HttpServer> server, SocketAddress address) -> Task<> {
                  for (int i = 0; i < 5; ++i) (void)co_await start<RawClient>({}, address);
                  co_await sleep(1s);
                  EXPECT_EQ(co_await call(server, HttpServer::Connections{}), counted ? 2U : 5U);
              });
    }
}

TEST(AddressCounts, counts_networks_and_forgets) {
    AddressCounts counts(2, false);
    auto one = counts.enter("203.0.113.1"), two = counts.enter("203.0.113.1");
    EXPECT_TRUE(one.admitted && two.admitted);
    EXPECT_FALSE(counts.enter("203.0.113.1").admitted);
    EXPECT_FALSE(counts.enter("::ffff:203.0.113.1").admitted);
    EXPECT_TRUE(counts.enter("203.0.113.2").admitted);
    counts.leave(two.slot);
    EXPECT_TRUE(counts.enter("203.0.113.1").admitted);

    EXPECT_TRUE(counts.enter("2001:db8:0:1::1").admitted);
    EXPECT_TRUE(counts.enter("2001:db8:0:1:ffff::2").admitted);
    EXPECT_FALSE(counts.enter("2001:db8:0:1::3").admitted);
    EXPECT_TRUE(counts.enter("2001:db8:0:2::3").admitted);

    for (int i = 0; i < 10; ++i) {
        for (const char* host : {"127.0.0.1", "::1", "::ffff:127.0.0.1", "unix:"})
            EXPECT_EQ(counts.enter(host).slot, 0U) << host;
    }
    EXPECT_FALSE(AddressCounts(1, true).enter("127.0.0.1").slot == 0);
    AddressCounts unlimited(0, false);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(unlimited.enter("203.0.113.1").admitted);
    EXPECT_EQ(unlimited.addresses(), 0U);

    AddressCounts churn(1, false);
    for (int i = 0; i < 1000; ++i)
        churn.leave(churn.enter("203.0.113." + std::to_string(i % 200)).slot);
    EXPECT_EQ(churn.addresses(), 0U);
}

BENNU_SIM_TEST(HttpServerLimits, requests_of_a_connection_are_limited, options) {
    std::string answers;
    serve(options, {.max_requests = 2}, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
        std::string one = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        answers = co_await exchange(address, one + one + one);
    });
    std::size_t first = answers.find("HTTP/1.1 200"),
                second = answers.find("HTTP/1.1 200", first + 1);
    EXPECT_NE(second, std::string::npos);
    EXPECT_EQ(answers.find("HTTP/1.1 200", second + 1), std::string::npos);
    EXPECT_GT(answers.find("connection: close"), second);
}

TEST(UnixListenerMultiShard, serves_and_replaces_only_what_is_stale) {
    std::string path = "/tmp/bennu_listener_test." + std::to_string(::getpid());
    run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        HttpServerOptions options;
        options.address = {"unix:" + path, 0};
        options.unix_mode = 0600;
        // A file that is no socket stays.
        std::ofstream(path) << "precious";
        EXPECT_FALSE(co_await start_server(options));
        EXPECT_EQ(::access(path.c_str(), F_OK), 0);
        std::remove(path.c_str());

        auto server = co_await start_server(options);
        EXPECT_TRUE(server);
        if (!server) co_return std::move(server).error();
        struct stat info{};
        EXPECT_EQ(::stat(path.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0600U);
        std::string answer = co_await exchange(options.address, std::string(request));
        EXPECT_TRUE(answer.ends_with("peer unix:")) << answer;
        // One that is listened on is taken.
        EXPECT_FALSE(co_await start_server(options));
        EXPECT_TRUE((co_await exchange(options.address, std::string(request))).contains("200 OK"));
        co_await stop_and_wait(server->pid(), 5s);
        EXPECT_NE(::access(path.c_str(), F_OK), 0);

        // One whose server died without cleaning up is replaced.
        SocketHandle left = reactor().listen(options.address, {}).value();
        reactor().close(left);
        EXPECT_EQ(::access(path.c_str(), F_OK), 0);
        auto again = co_await start_server(options);
        EXPECT_TRUE(again);
        if (again) co_await stop_and_wait(again->pid(), 5s);
        co_return {};
    });
}

TEST(HttpsRedirect, leads_to_the_same_place_over_https) {
    std::string plain, ports, query, none;
    simulate({}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> standard = std::make_shared<HttpsRedirect>();
        std::shared_ptr<const HttpHandler> other = std::make_shared<HttpsRedirect>(8443);
        auto one = co_await start<HttpServer>({}, HttpServerOptions{.address = {"127.0.0.1", 80}},
                                              standard);
        auto two =
            co_await start<HttpServer>({}, HttpServerOptions{.address = {"127.0.0.1", 81}}, other);
        plain = co_await exchange({"127.0.0.1", 80}, "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
        query = co_await exchange({"127.0.0.1", 80},
                                  "GET http://a.example:80/x%20y?q=1 HTTP/1.1\r\nhost: b\r\n\r\n");
        ports = co_await exchange({"127.0.0.1", 81}, "GET /p HTTP/1.1\r\nhost: [::1]:81\r\n\r\n");
        none = co_await exchange({"127.0.0.1", 80}, "GET / HTTP/1.0\r\n\r\n");
        co_await stop_and_wait(one->pid(), 5s);
        co_await stop_and_wait(two->pid(), 5s);
        co_return {};
    });
    EXPECT_TRUE(plain.starts_with("HTTP/1.1 308 "));
    EXPECT_TRUE(plain.contains("location: https://a.example/\r\n")) << plain;
    EXPECT_TRUE(query.contains("location: https://a.example/x%20y?q=1\r\n")) << query;
    EXPECT_TRUE(ports.contains("location: https://[::1]:8443/p\r\n")) << ports;
    EXPECT_TRUE(none.starts_with("HTTP/1.1 400 "));
}

}  // namespace bennu::net::listener_test
