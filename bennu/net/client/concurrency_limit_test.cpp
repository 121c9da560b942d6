#include "bennu/net/client/concurrency_limit.hpp"

#include <gtest/gtest.h>

#include "bennu/net/client/http_client.hpp"
#include "bennu/net/client/stub_transport.hpp"
#include "bennu/runtime/async.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::net::concurrency_limit_test {

using namespace std::chrono_literals;

/// A server that counts how many requests it has at once.
struct Busy {
    int here = 0, most = 0, asked = 0;
    std::shared_ptr<Transport> transport() {
        return stub_transport([this](ClientRequest) -> Task<Result<ClientResponse>> {
            ++asked;
            CountsAlive alive(here);
            most = std::max(most, here);
            co_await sleep(1s);
            co_return ClientResponse{.status = 200};
        });
    }
};

BENNU_SIM_TEST(ConcurrencyLimit, so_many_at_once_and_so_many_in_line, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Busy server;
        HttpClient client(server.transport(),
                          {concurrency_limit({.per_origin = 3, .queue_limit = 5})});
        std::vector<Task<Result<ClientResponse>>> calls;
        for (int i = 0; i < 10; ++i) calls.push_back(client.get("http://a.example/"));
        calls.push_back(client.get("http://b.example/"));
        const Instant begun = now();
        auto ended = co_await gather(std::move(calls));
        EXPECT_EQ(std::ranges::count_if(ended, [](auto& one) { return one.has_value(); }), 9);
        EXPECT_EQ(std::ranges::count_if(
                      ended, [](auto& one) { return !one && one.error().code() == "queue_full"; }),
                  2);
        EXPECT_TRUE(ended.back());  // another origin has its own places
        EXPECT_LE(server.most, 4);
        EXPECT_LE(now() - begun, 3100ms);
        co_return {};
    });
}

BENNU_SIM_TEST(ConcurrencyLimit, who_waits_too_long_or_goes_away_costs_no_place, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Busy server;
        HttpClient client(server.transport(),
                          {concurrency_limit({.per_origin = 1, .longest_wait = 500ms})});
        const std::string url = "http://a.example/";
        auto [first, second, third, fourth] =
            co_await gather(client.get(url), client.get(url), client.get(url, {.timeout = 100ms}),
                            within(client.get(url), 50ms));
        EXPECT_TRUE(first);
        EXPECT_EQ(second.error().code(), "queue_timeout");
        EXPECT_EQ(third.error().kind(), ErrorKind::timeout);
        EXPECT_FALSE(fourth);
        EXPECT_EQ(server.asked, 1);
        // Called off at about the moment when the place is given to them.
        for (int i = 0; i < 50; ++i) {
            auto [holds, waits] = co_await gather(client.get(url, {.timeout = 10ms}),
                                                  within(client.get(url), Duration(10ms)));
            EXPECT_FALSE(holds);
            EXPECT_FALSE(waits);
        }
        EXPECT_TRUE(co_await client.get(url));
        co_return {};
    });
}

BENNU_SIM_TEST(ConcurrencyLimit, a_stream_holds_its_place_to_its_end, sim) {
    finishes(sim, []() -> Task<Result<>> {
        HttpClient client(stub_transport([](ClientRequest) -> Task<Result<ClientResponse>> {
                              co_return ClientResponse{.status = 200, .body = "text"};
                          }),
                          {concurrency_limit({.per_origin = 1, .longest_wait = 1s})});
        const std::string url = "http://a.example/";
        ClientResponse answer = co_await require(client.stream(Method::get, url));
        EXPECT_EQ((co_await client.get(url)).error().code(), "queue_timeout");
        EXPECT_TRUE(co_await answer.stream.rest(10));
        EXPECT_TRUE(co_await client.get(url));
        answer = co_await require(client.stream(Method::get, url));
        answer = {};
        EXPECT_TRUE(co_await client.get(url));
        co_return {};
    });
}

TEST(ConcurrencyLimitShards, shards_share_the_places) {
    std::atomic<int> here{0}, most{0};
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        HttpClient client(stub_transport([&](ClientRequest) -> Task<Result<ClientResponse>> {
                              int count = ++here, seen = most.load();
                              while (count > seen && !most.compare_exchange_weak(seen, count)) {}
                              co_await sleep(1ms);
                              --here;
                              co_return ClientResponse{.status = 200};
                          }),
                          {concurrency_limit({.per_origin = 2})});
        std::vector<Async<int>> workers;
        for (int worker = 0; worker < 8; ++worker) {
            workers.push_back(async(
                [client]() -> Task<int> {
                    int answered = 0;
                    for (int i = 0; i < 50; ++i) {
                        if (co_await client.get("http://a.example/")) ++answered;
                    }
                    co_return answered;
                },
                {.shard = static_cast<std::uint8_t>(worker % 2)}));
        }
        for (Async<int>& worker : workers) EXPECT_EQ(co_await await(worker, 30s), 50);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(most, 2);
}

}  // namespace bennu::net::concurrency_limit_test
