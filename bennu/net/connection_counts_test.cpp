// How many connections a server takes, and how they spread over its shards.
#include "bennu/net/connection_counts.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "bennu/base/log.hpp"
#include "bennu/net/connection_table.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::connection_counts_test {

using namespace std::chrono_literals;

/// What `place` guarantees while nobody leaves.
constexpr std::size_t most_on_one(std::size_t all, std::size_t shards) {
    return all / shards + ConnectionCounts::slack + shards;
}

TEST(ConnectionCounts, takes_as_many_as_there_may_be) {
    ConnectionCounts counts(3, 2);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(counts.full());
        EXPECT_TRUE(counts.enter());
        counts.place_on(0);
    }
    EXPECT_TRUE(counts.full());
    EXPECT_FALSE(counts.enter());
    counts.leave(0);
    EXPECT_TRUE(counts.enter());
    EXPECT_FALSE(counts.enter());
    counts.leave();
    counts.add(1);
    counts.add(1);  // whether there is room or not
    EXPECT_EQ(counts.total(), 4U);
    EXPECT_EQ(counts.on(0), 2U);
    EXPECT_EQ(counts.on(1), 2U);
    counts.leave(1);
    EXPECT_FALSE(counts.enter());
}

TEST(ConnectionCounts, whoever_accepts_them_they_spread) {
    ConnectionCounts counts(10'000, 4);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(counts.enter());
        counts.place(2);
    }
    for (std::uint8_t shard = 0; shard < 4; ++shard) EXPECT_LE(counts.on(shard), 250U + 16 + 1);
    // Those that come and go one by one stay where they came.
    ConnectionCounts brief(10'000, 4);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(brief.enter());
        EXPECT_EQ(brief.place(2), 2);
        brief.leave(2);
    }
}

TEST(ConnectionCounts, nobody_is_put_on_another_shard_that_is_closed) {
    ConnectionCounts counts(10'000, 2);
    counts.close(1);
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(counts.enter());
        EXPECT_EQ(counts.place(0), 0);
    }
    EXPECT_EQ(counts.on(1), 0U);
}

TEST(ConnectionCountsMultiShard, threads_never_take_more_and_spread_them) {
    constexpr std::size_t shards = 4, each = 250;
    ConnectionCounts counts(each * shards, shards);
    std::atomic<std::size_t> refused = 0;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < shards; ++i) {
            threads.emplace_back([&] {
                for (std::size_t k = 0; k < each + 10; ++k) {
                    counts.enter() ? void(counts.place(0)) : void(++refused);
                    EXPECT_LE(counts.total(), each * shards);
                }
            });
        }
    }
    EXPECT_EQ(refused, 10 * shards);
    EXPECT_EQ(counts.total(), each * shards);
    for (std::uint8_t shard = 0; shard < shards; ++shard)
        EXPECT_LE(counts.on(shard), most_on_one(each * shards, shards));
}

struct Handler : TestHandler {
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (!becomes_silent_socket(request, response)) response.body = "served";
        co_return response;
    }
};

constexpr std::string_view ask = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
constexpr std::string_view upgrade =
    "GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Connects and sends; what has come by the end of the answer's head, or of the connection.
Task<std::string> begin(Ref<RawClient> client, std::string_view request) {
    cast(client, RawClient::Send{std::string(request)});
    co_return co_await call(client, RawClient::ReadUntil{"\r\n\r\n"}, {.timeout = 60s});
}

/// `count` at once, every third a WebSocket: how many of them are served. They stay.
Task<int> come(SocketAddress address, int count, std::vector<Ref<RawClient>>& clients) {
    int served = 0;
    co_await scoped([&](Scope& scope) -> Task<> {
        for (int i = 0; i < count; ++i) {
            clients.push_back(*co_await start<RawClient>({}, address));
            scope.run([](Ref<RawClient> client, bool socket, int& into) -> Task<> {
                const std::string answer = co_await begin(client, socket ? upgrade : ask);
                into += answer.starts_with(socket ? "HTTP/1.1 101 " : "HTTP/1.1 200 ");
            }(clients.back(), i % 3 == 0, served));
        }
        co_return;
    });
    co_return served;
}

Task<std::vector<std::size_t>> spread(SocketAddress address) {
    std::vector<std::size_t> on;
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        on.push_back(*co_await ask_shard<std::size_t>(
            shard, [key = address.to_string()] { return listener_connection_table(key)->size(); }));
    }
    co_return on;
}

BENNU_SIM_TEST(ServerLimit, as_many_as_may_be_are_served_wherever_they_land, sim) {
    sim.shards = 3;
    int served = 0;
    std::string refused, admitted;
    serve(sim, {.max_connections = 100}, std::make_shared<Handler>(),
          [&](SocketAddress address) -> Task<> {
              std::vector<Ref<RawClient>> clients;
              served = co_await come(address, 100, clients);
              auto more = *co_await start<RawClient>({}, address);
              refused = co_await begin(more, ask);
              kill(clients[57].pid());
              co_await sleep(1s);
              auto next = *co_await start<RawClient>({}, address);
              admitted = co_await begin(next, upgrade);
              for (auto& client : clients) kill(client.pid());
              kill(next.pid());
          });
    EXPECT_EQ(served, 100);
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
    EXPECT_TRUE(admitted.starts_with("HTTP/1.1 101 ")) << admitted;
}

BENNU_SIM_TEST(ServerLimit, who_is_left_waiting_gets_in_when_another_goes, sim) {
    sim.shards = 3;
    int served = 0;
    std::string answer;
    Duration waited{}, noticed{};
    serve(sim, {.max_connections = 40, .when_full = HttpServerOptions::WhenFull::leave},
          std::make_shared<Handler>(), [&](SocketAddress address) -> Task<> {
              std::vector<Ref<RawClient>> clients;
              served = co_await come(address, 40, clients);
              auto next = *co_await start<RawClient>({}, address);
              const Instant began = now();
              Instant gone;
              co_await scoped([&](Scope& scope) -> Task<> {
                  scope.run([](Pid one, Instant& at) -> Task<> {
                      co_await sleep(5s);
                      kill(one);
                      at = now();
                  }(clients[20].pid(), gone));
                  answer = co_await begin(next, ask);
              });
              waited = now() - began;
              noticed = now() - gone;
              for (auto& client : clients) kill(client.pid());
              kill(next.pid());
          });
    EXPECT_EQ(served, 40);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
    EXPECT_GE(waited, 5s);
    EXPECT_LT(noticed, 100ms);
}

BENNU_SIM_TEST(ServerLimit, connections_spread_over_the_shards, sim) {
    sim.shards = 4;
    int served = 0;
    std::vector<std::size_t> on;
    serve(sim, {}, std::make_shared<Handler>(), [&](SocketAddress address) -> Task<> {
        std::vector<Ref<RawClient>> clients;
        served = co_await come(address, 240, clients);
        on = co_await spread(address);
        for (auto& client : clients) kill(client.pid());
    });
    EXPECT_EQ(served, 240);
    EXPECT_EQ(std::accumulate(on.begin(), on.end(), std::size_t{0}), 240U);
    // 80: a third of them.
    for (std::size_t count : on) EXPECT_LE(count, most_on_one(240, 4));
}

BENNU_SIM_TEST(ServerLimit, nobody_is_lost_who_comes_while_the_acceptors_stop, sim) {
    sim.shards = 3;
    int served = 0;
    SimOutcome outcome = simulate(sim, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Handler>();
        const SocketAddress address{"127.0.0.1", 8000};
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.address = address}, handler);
        co_await sleep(1ms);  // the acceptors know each other
        std::vector<Ref<RawClient>> clients;
        for (int i = 0; i < 100; ++i) clients.push_back(*co_await start<RawClient>({}, address));
        // They come when the first acceptor has stopped already, and the others not yet.
        for (std::uint8_t shard : {1, 2}) {
            post(shard, [] { simulated_network()->advance(reactor().now() + 50us); });
        }
        stop(server->pid());
        for (Ref<RawClient> client : clients) cast(client, RawClient::Send{std::string(ask)});
        for (Ref<RawClient> client : clients) {
            const std::string all = co_await call(client, RawClient::ReadAll{}, {.timeout = 60s});
            served += all.starts_with("HTTP/1.1 200 ") && all.contains("connection: close");
        }
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(served, 100);
}

TEST(ServerLimitMultiShard, who_waits_already_when_the_server_starts_is_spread_too) {
    int served = 0;
    std::vector<std::size_t> on;
    int status = run({.shards = 3, .handle_signals = false}, [&]() -> Task<Result<>> {
        SocketHandle listener = *reactor().listen({"127.0.0.1", 0}, {});
        const SocketAddress address = reactor().local_address(listener);
        std::vector<Ref<RawClient>> clients;
        co_await scoped([&](Scope& scope) -> Task<> {
            scope.run([](SocketAddress address, auto& clients, int& served) -> Task<> {
                served = co_await come(address, 150, clients);
            }(address, clients, served));
            while (clients.size() < 150) co_await sleep(1ms);
            // The last acceptor starts long after the first.
            post(2, [] { std::this_thread::sleep_for(50ms); });
            std::shared_ptr<const HttpHandler> handler = std::make_shared<Handler>();
            auto server = co_await start<HttpServer>(
                {}, HttpServerOptions{.inherited_listener = static_cast<int>(listener)}, handler);
            EXPECT_TRUE(server);
        });
        on = co_await spread(address);
        for (auto& client : clients) kill(client.pid());
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(served, 150);
    for (std::size_t count : on) EXPECT_LE(count, most_on_one(150, 3));
}

TEST(ServerLimitMultiShard, the_limit_and_the_spread_hold_over_real_sockets) {
    int served = 0;
    std::string refused, admitted;
    std::vector<std::size_t> on;
    int status = run({.shards = 3, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Handler>();
        auto server = co_await require(
            co_await start<HttpServer>({}, HttpServerOptions{.max_connections = 150}, handler));
        const SocketAddress address = co_await call(server, HttpServer::Address{});
        std::vector<Ref<RawClient>> clients;
        served = co_await come(address, 150, clients);
        on = co_await spread(address);
        auto more = co_await require(co_await start<RawClient>({}, address));
        refused = co_await begin(more, ask);
        kill(clients[75].pid());
        while (co_await call(server, HttpServer::Connections{}) == 150) co_await sleep(1ms);
        auto next = co_await require(co_await start<RawClient>({}, address));
        admitted = co_await begin(next, ask);
        for (auto& client : clients) kill(client.pid());
        kill(next.pid());
        co_await stop_and_wait(server.pid(), 20s);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(served, 150);
    for (std::size_t count : on) EXPECT_LE(count, most_on_one(150, 3));
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
    EXPECT_TRUE(admitted.starts_with("HTTP/1.1 200 ")) << admitted;
}

}  // namespace bennu::net::connection_counts_test
