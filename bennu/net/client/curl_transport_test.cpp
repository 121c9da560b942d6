#include "bennu/net/client/curl_transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "bennu/net/client/http_client.hpp"
#include "bennu/net/client/request_steps.hpp"
#include "bennu/net/client/untrusted.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/async.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net::curl_transport_test {

using namespace std::chrono_literals;

/// What the tests ask of a real server.
struct Answers : HttpHandler {
    mutable std::atomic<int> waiting{0}, most{0};

    BodyPlan body_plan(const RequestHead&) const override { return {.limit = 1'000'000}; }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        const std::string_view path = request.head.path();
        if (path == "/slow") {
            most = std::max(most.load(), ++waiting);
            co_await sleep(300ms);
            --waiting;
        } else if (path == "/meet") {
            // Nobody leaves before all are there.
            for (++waiting; waiting < 300;) co_await sleep(5ms);
        } else if (path == "/never") {
            co_await sleep(1h);
        } else if (path == "/big") {
            response.body = std::string(100'000, 'b');
        } else if (path == "/drip") {
            response.body = BodyProducer([](BodyWriter out) -> Task<Result<>> {
                while (true) {
                    co_await require(out.write("."));
                    co_await sleep(20ms);
                }
            });
        } else {
            response.headers.set("x-host", request.head.host());
            response.headers.set("x-type", request.head.headers.get("content-type"));
            response.headers.set("x-expect", request.head.headers.get("expect"));
            response.body = std::string(request.head.method_text()) + " " + request.body;
        }
        co_return response;
    }
    HttpResponse failure(int status, std::string_view code, std::string_view) const override {
        HttpResponse response{.status = status};
        response.body = std::string(code);
        return response;
    }
};

/// Runs `body` beside a server on a port of its own.
void with_server(HttpServerOptions options, unsigned shards,
                 Function<Task<Result<>>(std::uint16_t, std::shared_ptr<Answers>)> body) {
    auto answers = std::make_shared<Answers>();
    serve_really(options, shards, answers, [&](SocketAddress address) -> Task<Result<>> {
        co_return co_await body(address.port, answers);
    });
}

std::string at(std::uint16_t port, std::string_view path, std::string_view scheme = "http") {
    return std::string(scheme) + "://localhost:" + std::to_string(port) + std::string(path);
}

TEST(CurlTransport, methods_bodies_headers_and_limits) {
    with_server({}, 1, [](std::uint16_t port, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        ClientResponse answer = co_await require(client.get(at(port, "/")));
        EXPECT_EQ(answer.body, "GET ");
        EXPECT_EQ(answer.version, "1.1");
        EXPECT_EQ(answer.headers.get("X-Host"), "localhost:" + std::to_string(port));
        answer = co_await require(client.post(at(port, "/"), {.json = Json::object({{"a", 1}})}));
        EXPECT_EQ(answer.body, R"(POST {"a":1})");
        EXPECT_EQ(answer.headers.get("x-type"), "application/json");
        EXPECT_EQ(answer.headers.get("x-expect"), "");
        EXPECT_EQ((co_await client.put(at(port, "/"), {.body = "p"}))->body, "PUT p");
        EXPECT_EQ((co_await client.patch(at(port, "/"), {.body = "p"}))->body, "PATCH p");
        EXPECT_EQ((co_await client.delete_(at(port, "/")))->body, "DELETE ");
        EXPECT_EQ((co_await client.head(at(port, "/")))->body, "");
        EXPECT_EQ((co_await client.get(at(port, "/big")))->body.size(), 100'000u);
        Result<ClientResponse> big = co_await client.get(at(port, "/big"), {.max_body = 99'999});
        EXPECT_EQ(big.error().kind(), ErrorKind::too_large);
        Result<ClientResponse> gone = co_await client.get("http://127.0.0.1:1/");
        EXPECT_EQ(gone.error().code(), "not_reachable");
        co_return Result<>();
    });
}

TEST(CurlTransport, clocks_run_out_and_frames_may_go) {
    with_server({}, 1, [](std::uint16_t port, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport(), {attempt_limits({.head = 150ms})});
        Result<ClientResponse> late = co_await client.get(at(port, "/never"));
        EXPECT_EQ(late.error().code(), "head_timeout");
        late = co_await client.get(at(port, "/drip"), {.timeout = 200ms});
        EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
        // Cancelled by destroying the frame; the transport serves on.
        EXPECT_FALSE(co_await within(client.get(at(port, "/never")), 20ms));
        EXPECT_TRUE(co_await client.get(at(port, "/")));
        co_return Result<>();
    });
}

TEST(CurlTransport, an_origin_has_a_limit_and_a_line) {
    with_server({}, 1, [](std::uint16_t port, auto answers) -> Task<Result<>> {
        HttpClient client(make_curl_transport({.per_origin = 4, .queue_limit = 4}));
        std::vector<Task<Result<ClientResponse>>> calls;
        for (int i = 0; i < 10; ++i) calls.push_back(client.get(at(port, "/slow")));
        auto ended = co_await gather(std::move(calls));
        EXPECT_EQ(std::ranges::count_if(ended, [](auto& one) { return one.has_value(); }), 8);
        EXPECT_EQ(std::ranges::count_if(
                      ended, [](auto& one) { return !one && one.error().code() == "pool_full"; }),
                  2);
        EXPECT_LE(answers->most, 4);
        HttpClient hasty(make_curl_transport({.per_origin = 1, .queue_timeout = 50ms}));
        auto [first, second] =
            co_await gather(hasty.get(at(port, "/slow")), hasty.get(at(port, "/slow")));
        EXPECT_TRUE(first);
        EXPECT_EQ(second.error().code(), "pool_timeout");
        co_return Result<>();
    });
}

TEST(CurlTransport, hundreds_of_slow_calls_overlap) {
    with_server({.per_ip = 0}, 1, [](std::uint16_t port, auto answers) -> Task<Result<>> {
        HttpClient client(make_curl_transport({.per_origin = 300}));  // proves 3.12
        std::vector<Task<Result<ClientResponse>>> calls;
        for (int i = 0; i < 300; ++i) calls.push_back(client.get(at(port, "/meet")));
        auto ended = co_await gather(std::move(calls));
        EXPECT_EQ(std::ranges::count_if(ended, [](auto& one) { return one.has_value(); }), 300);
        EXPECT_EQ(answers->waiting, 300);
        co_return Result<>();
    });
}

TEST(CurlTransport, tls_is_verified) {
    TlsCertificate own = make_test_certificate({"localhost"});
    HttpServerOptions options;
    options.tls.emplace(TlsOptions{.certificates = {own}});
    with_server(options, 1, [own](std::uint16_t port, auto) -> Task<Result<>> {
        HttpClient trusting(make_curl_transport({.authorities = own.certificate}));
        EXPECT_TRUE(co_await trusting.get(at(port, "/", "https")));
        HttpClient other(make_curl_transport());
        Result<ClientResponse> refused = co_await other.get(at(port, "/", "https"));
        EXPECT_EQ(refused.error().code(), "tls");
        refused = co_await trusting.get("https://127.0.0.1:" + std::to_string(port) + "/");
        EXPECT_EQ(refused.error().code(), "tls");
        co_return Result<>();
    });
}

TEST(CurlTransport, the_guard_pins_the_address_and_the_socket_checks_it_again) {
    with_server({}, 1, [](std::uint16_t port, auto) -> Task<Result<>> {
        UntrustedOptions options{.ports = {port},
                                 .plaintext = Plaintext::allowed,
                                 .also_reach = {"127.0.0.1"},
                                 .timeout = 300ms,
                                 .max_body = 50'000};
        options.resolve = [](const std::string&) -> Result<std::vector<std::string>> {
            return std::vector<std::string>{"127.0.0.1"};
        };
        HttpClient guarded = untrusted_client(std::move(options));
        const std::string base = "http://no-such-name.example:" + std::to_string(port);
        ClientResponse answer = co_await require(guarded.get(base + "/"));
        EXPECT_EQ(answer.headers.get("x-host"), base.substr(7));
        EXPECT_EQ((co_await guarded.get(base + "/big")).error().kind(), ErrorKind::too_large);
        EXPECT_EQ((co_await guarded.get(base + "/drip")).error().kind(), ErrorKind::timeout);
        // Without the guard's look at the name, the socket still refuses.
        HttpClient bare(make_curl_transport({.reach = Reach::public_only}));
        EXPECT_EQ((co_await bare.get(at(port, "/"))).error().code(), "address_refused");
        co_return Result<>();
    });
}

TEST(CurlTransportShards, shards_share_one_transport) {
    with_server({.per_ip = 0}, 2, [](std::uint16_t port, auto) -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        std::vector<Async<int>> workers;
        for (std::uint8_t shard : {0, 1}) {
            workers.push_back(async(
                [client, port]() -> Task<int> {
                    int answered = 0;
                    for (int i = 0; i < 50; ++i) {
                        // Every other one is called off while it is under way.
                        const Duration limit = i % 2 == 0 ? 5s : 0s;
                        auto answer = co_await within(client.get(at(port, "/")), limit);
                        if (answer) ++answered;
                    }
                    co_return answered;
                },
                {.shard = shard}));
        }
        for (Async<int>& worker : workers) EXPECT_GE(co_await await(worker, 30s), 25);
        co_return Result<>();
    });
}

BENNU_SIM_TEST(CurlTransport, the_simulator_has_no_such_network, sim) {
    finishes(sim, []() -> Task<Result<>> {
        HttpClient client(make_curl_transport());
        EXPECT_EQ((co_await client.get("http://a.example/")).error().code(), "simulated");
        co_return Result<>();
    });
}

}  // namespace bennu::net::curl_transport_test
