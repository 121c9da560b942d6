#include <gtest/gtest.h>

#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::sim_network_test {

using namespace std::chrono_literals;

/// A connection to itself through the simulated network, read and written by hand.
struct Pair {
    explicit Pair(std::uint16_t port = 80) {
        listener = reactor().listen({"127.0.0.1", port}, {}).value();
        client = reactor().connect({"127.0.0.1", port}).value();
    }
    Task<> accepted() {
        for (int i = 0; i < 300 && server < 0; ++i) {
            (void)reactor().accept(listener, server);
            co_await sleep(1s);
        }
    }
    static bool put(SocketHandle socket, std::string_view text) {
        return reactor().write(socket, text).kind == IoResult::Kind::done;
    }
    /// What has arrived; "closed" at the end.
    static std::string got(SocketHandle socket) {
        std::array<char, 1000> buffer;
        IoResult result = reactor().read(socket, buffer);
        if (result.kind == IoResult::Kind::closed) return "closed";
        return {buffer.data(), result.kind == IoResult::Kind::done ? result.bytes : 0};
    }
    SocketHandle listener = -1, client = -1, server = -1;
};

void with_faults(std::vector<SimFault> plan, Function<Task<Result<>>()> main) {
    auto outcome = simulate({.plan = std::move(plan)}, std::move(main));
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

TEST(SimNetwork, a_partition_holds_bytes_in_order_until_it_heals) {
    with_faults({}, []() -> Task<Result<>> {
        Pair pair;
        co_await pair.accepted();
        SimNetwork& network = *simulated_network();
        network.partition(80);
        EXPECT_TRUE(Pair::put(pair.client, "one "));
        co_await sleep(70ms);
        EXPECT_TRUE(Pair::put(pair.client, "two "));
        co_await sleep(10ms);
        reactor().shutdown_write(pair.client);
        EXPECT_TRUE(Pair::put(pair.server, "back"));
        co_await sleep(5s);
        EXPECT_EQ(Pair::got(pair.server), "");
        EXPECT_EQ(Pair::got(pair.client), "");
        network.heal(80);
        EXPECT_EQ(Pair::got(pair.server), "one two ");
        EXPECT_EQ(Pair::got(pair.server), "closed");
        EXPECT_EQ(Pair::got(pair.client), "back");
        co_return {};
    });
}

TEST(SimNetwork, a_partition_may_stop_one_way_only) {
    with_faults({}, []() -> Task<Result<>> {
        Pair pair;
        co_await pair.accepted();
        for (Cut cut : {Cut::inbound, Cut::outbound}) {
            simulated_network()->partition(80, cut);
            EXPECT_TRUE(Pair::put(pair.client, "in"));
            EXPECT_TRUE(Pair::put(pair.server, "out"));
            co_await sleep(1s);
            EXPECT_EQ(Pair::got(pair.server), cut == Cut::inbound ? "" : "in");
            EXPECT_EQ(Pair::got(pair.client), cut == Cut::inbound ? "out" : "");
            simulated_network()->heal(80);
            EXPECT_EQ(Pair::got(pair.server), cut == Cut::inbound ? "in" : "");
            EXPECT_EQ(Pair::got(pair.client), cut == Cut::inbound ? "" : "out");
        }
        co_return {};
    });
}

TEST(SimNetwork, connecting_into_a_partition_waits_for_it_to_heal) {
    with_faults({}, []() -> Task<Result<>> {
        simulated_network()->partition(80);
        Pair pair;
        co_await sleep(20s);
        EXPECT_EQ(reactor().accept(pair.listener, pair.server).kind, IoResult::Kind::would_block);
        simulated_network()->heal(80);
        co_await pair.accepted();
        EXPECT_GE(pair.server, 0);

        simulated_network()->partition(81);
        Pair given_up(81);
        co_await sleep(60s);
        EXPECT_EQ(Pair::got(given_up.client), "");
        co_await sleep(120s);
        EXPECT_EQ(Pair::got(given_up.client), "closed");
        co_return {};
    });
}

TEST(SimNetwork, writes_are_struck_by_number) {
    with_faults({{.kind = FaultKind::delay, .step = 2, .amount = 1s},
                 {.kind = FaultKind::loss, .step = 4, .amount = 10s},
                 {.kind = FaultKind::reset, .step = 6}},
                []() -> Task<Result<>> {
                    Pair pair;
                    co_await pair.accepted();
                    EXPECT_TRUE(Pair::put(pair.client, "a"));
                    EXPECT_TRUE(Pair::put(pair.client, "b"));
                    EXPECT_TRUE(Pair::put(pair.client, "c"));
                    co_await sleep(100ms);
                    EXPECT_EQ(Pair::got(pair.server), "a");
                    co_await sleep(1s);
                    EXPECT_EQ(Pair::got(pair.server), "bc");
                    EXPECT_TRUE(Pair::put(pair.client, "lost"));
                    EXPECT_TRUE(Pair::put(pair.client, "too"));
                    co_await sleep(9s);
                    EXPECT_EQ(Pair::got(pair.server), "");
                    co_await sleep(2s);
                    EXPECT_EQ(Pair::got(pair.server), "closed");
                    EXPECT_EQ(Pair::got(pair.client), "closed");

                    Pair next(81);
                    co_await next.accepted();
                    EXPECT_FALSE(Pair::put(next.client, "reset"));
                    EXPECT_EQ(Pair::got(next.server), "closed");
                    co_return {};
                });
}

TEST(SimNetwork, partitions_are_injected_and_heal) {
    auto outcome = simulate({.faults = {.partitions = 2, .until = 20s}}, []() -> Task<Result<>> {
        Pair pair;
        co_await pair.accepted();
        std::string received;
        for (int i = 0; i < 400; ++i) {
            EXPECT_TRUE(Pair::put(pair.client, "."));
            co_await sleep(100ms);
            received += Pair::got(pair.server);
        }
        EXPECT_EQ(received, std::string(400, '.'));
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_GT(outcome.faults.size(), 10U);
}

}  // namespace bennu::sim_network_test
