#include "bennu/runtime/simulation_testing.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::simulation_test {

using namespace std::chrono_literals;

/// Answers every line that it receives with the same line, one connection a process.
struct EchoConnection : Server {
    explicit EchoConnection(SocketHandle s) : socket(s) {}
    ~EchoConnection() { reactor().close(socket); }
    struct Begin {};
    void handle(Begin) { (void)watch_io(socket); }
    void handle_io(std::uint8_t, Readiness) {
        std::array<char, 256> buffer;
        while (true) {
            IoResult got = reactor().read(socket, buffer);
            if (got.kind == IoResult::Kind::done) {
                pending.append(buffer.data(), got.bytes);
                continue;
            }
            if (got.kind != IoResult::Kind::would_block) {
                stop(self());
                return;
            }
            break;
        }
        while (!pending.empty()) {
            IoResult put = reactor().write(socket, pending);
            if (put.kind != IoResult::Kind::done) break;
            pending.erase(0, put.bytes);
        }
    }
    SocketHandle socket;
    std::string pending;
};

struct EchoListener : Server {
    explicit EchoListener(std::uint16_t p) : port(p) {}
    Task<Result<>> init() {
        auto listening = reactor().listen({"127.0.0.1", port}, {});
        if (!listening) co_return std::move(listening).error();
        socket = *listening;
        co_return watch_io(socket, 0, true);
    }
    void handle_io(std::uint8_t, Readiness) {
        SocketHandle accepted;
        while (reactor().accept(socket, accepted).kind == IoResult::Kind::done) {
            cast(spawn<EchoConnection>(accepted), EchoConnection::Begin{});
        }
    }
    ~EchoListener() {
        if (socket >= 0) reactor().close(socket);
    }
    std::uint16_t port;
    SocketHandle socket = -1;
};

struct EchoClient : Server {
    struct Done {
        using Reply = std::string;
    };
    explicit EchoClient(std::string t) : text(std::move(t)) {}
    ~EchoClient() {
        if (socket >= 0) reactor().close(socket);
    }
    Task<Result<>> init() {
        auto connecting = reactor().connect({"127.0.0.1", 7000});
        if (!connecting) co_return std::move(connecting).error();
        socket = *connecting;
        co_return watch_io(socket);
    }
    void handle_io(std::uint8_t, Readiness ready) {
        if (ready.writable && sent < text.size()) {
            IoResult put = reactor().write(socket, std::string_view(text).substr(sent));
            if (put.kind == IoResult::Kind::done) sent += put.bytes;
        }
        std::array<char, 100> buffer;
        while (true) {
            IoResult got = reactor().read(socket, buffer);
            if (got.kind == IoResult::Kind::would_block) break;
            if (got.kind != IoResult::Kind::done) {
                lost = true;
                break;
            }
            received.append(buffer.data(), got.bytes);
        }
        if ((lost || received.size() == text.size()) && waiting)
            waiting.reply(lost ? "lost" : received);
    }
    void handle(Done, From<std::string> from) {
        waiting = std::move(from);
        if (lost || received.size() == text.size()) waiting.reply(lost ? "lost" : received);
    }
    std::string text, received;
    std::size_t sent = 0;
    bool lost = false;
    SocketHandle socket = -1;
    From<std::string> waiting;
};

BENNU_SIM_TEST(Simulation, bytes_arrive_whole_and_in_order, options) {
    std::string sent, echoed;
    SimOutcome outcome = simulate(options, [&]() -> Task<Result<>> {
        auto listener = co_await start<EchoListener>({}, std::uint16_t{7000});
        EXPECT_TRUE(listener);
        for (int i = 0; i < 2000; ++i) sent.append(std::to_string(i)).append(",");
        auto client = co_await start<EchoClient>({}, sent);
        echoed = co_await call(*client, EchoClient::Done{}, {.timeout = 1min});
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(echoed, sent);
}

BENNU_SIM_TEST(Simulation, a_reset_reaches_the_client, options) {
    std::string echoed;
    SimOutcome outcome = simulate(options, [&]() -> Task<Result<>> {
        auto listener = co_await start<EchoListener>({}, std::uint16_t{7000});
        auto client = co_await start<EchoClient>({}, std::string(1'000'000, 'x'));
        co_await sleep(3ms);
        simulated_network()->reset_connections(7000);
        echoed = co_await call(*client, EchoClient::Done{}, {.timeout = 1min});
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_TRUE(echoed == "lost");
}

BENNU_SIM_TEST(Simulation, whatever_the_network_does_bytes_are_right_or_the_connection_ends,
               options) {
    options.faults = {.partitions = 5, .resets = 0.01, .losses = 0.01, .delays = 0.1, .until = 5s};
    std::string sent, echoed;
    for (int i = 0; i < 2000; ++i) sent.append(std::to_string(i)).append(",");
    int connections = 0;
    SimOutcome outcome = simulate(options, [&]() -> Task<Result<>> {
        co_await require(start<EchoListener>({}, std::uint16_t{7000}));
        do {
            auto client = co_await require(start<EchoClient>({}, sent));
            echoed = co_await call(client, EchoClient::Done{}, {.timeout = 5min});
            EXPECT_TRUE(echoed == sent || echoed == "lost");
            co_await stop_and_wait(client.pid());
            ++connections;
        } while (echoed == "lost");
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(echoed, sent);
    EXPECT_LT(connections, 100);
}

struct Tally : Server {
    struct Add {
        int from;
        int number;
    };
    struct Get {
        using Reply = std::vector<int>;
    };
    void handle(Add m) {
        if (last.size() <= static_cast<std::size_t>(m.from))
            last.resize(static_cast<std::size_t>(m.from) + 1);
        int& seen = last[static_cast<std::size_t>(m.from)];
        EXPECT_EQ(m.number, seen + 1) << "out of order from " << m.from;
        seen = m.number;
    }
    std::vector<int> handle(Get) { return last; }
    std::vector<int> last;
};

BENNU_SIM_TEST(Simulation, messages_of_each_sender_keep_their_order_across_shards, options) {
    std::vector<int> seen;
    SimOutcome outcome = simulate(options, [&]() -> Task<Result<>> {
        auto tally = spawn<Tally>();
        for (int sender = 0; sender < 4; ++sender) {
            post(static_cast<std::uint8_t>(sender % shard_count()), [tally, sender] {
                spawn_task([tally, sender]() -> Task<> {
                    for (int i = 1; i <= 50; ++i) {
                        cast(tally, Tally::Add{sender, i});
                        if (random().chance(0.2))
                            co_await sleep(Duration(random().below(3'000'000)));
                    }
                });
            });
        }
        co_await sleep(1s);
        seen = co_await call(tally, Tally::Get{});
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(seen, (std::vector<int>{50, 50, 50, 50}));
}

TEST(Simulation, the_same_seed_gives_the_same_run) {
    auto once = [](std::uint64_t seed) {
        return simulate({.seed = seed}, []() -> Task<Result<>> {
            auto tally = spawn<Tally>();
            for (int i = 1; i <= 20; ++i) {
                cast(tally, Tally::Add{0, i});
                co_await sleep(Duration(random().below(5'000'000)));
                co_await offload([] { return 1; });
            }
            co_return {};
        });
    };
    EXPECT_EQ(once(7).digest, once(7).digest);
    EXPECT_NE(once(7).digest, once(8).digest);
}

TEST(Simulation, hours_pass_in_no_time_and_a_hung_run_is_noticed) {
    SimOutcome slept = simulate({.limit = 48h}, []() -> Task<Result<>> {
        co_await sleep(24h);
        co_return {};
    });
    EXPECT_FALSE(slept.hung);
    EXPECT_GE(slept.virtual_time, 24h);
    SimOutcome hung = simulate({}, []() -> Task<Result<>> {
        (void)co_await exit_of(self());
        co_return {};
    });
    EXPECT_TRUE(hung.hung);
}

struct Flaky : Server {
    struct Crash {};
    void handle(Crash) { throw std::runtime_error("flaky"); }
};

BENNU_SIM_TEST(Simulation, a_supervised_child_is_back_after_every_crash, options) {
    unsigned restarts = 0;
    SimOutcome outcome = simulate(options, [&]() -> Task<Result<>> {
        std::vector<ChildSpec> specs;
        specs.push_back(child<Flaky>({.id = "flaky", .name = "flaky"}));
        auto tree = co_await supervise(
            {.budget = {.restarts = 1000, .within = 1s, .max_backoff = 100ms}}, std::move(specs));
        for (int i = 0; i < 20; ++i) {
            while (!whereis("flaky")) co_await sleep(10ms);
            Pid before = whereis("flaky");
            cast(Ref<Flaky>(before), Flaky::Crash{});
            (void)co_await exit_of(before);
        }
        while (!whereis("flaky")) co_await sleep(10ms);
        restarts = (co_await call(*tree, Supervisor::Children{})).at(0).restarts;
        co_return {};
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(restarts, 20U);
}

}  // namespace bennu::simulation_test
