#include "bennu/runtime/simulation/trace.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::sim_trace_test {

using namespace std::chrono_literals;
using Kind = TraceEvent::Kind;

TEST(SimTrace, keeps_the_last_events) {
    SimTrace trace(3);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(trace.add({.text = std::to_string(i)}), i);
    EXPECT_EQ(trace.forgotten(), 2U);
    EXPECT_EQ(trace.find(1), nullptr);
    EXPECT_EQ(trace.find(5), nullptr);
    EXPECT_EQ(trace.find(4)->text, "4");
    EXPECT_EQ(trace.events().size(), 3U);
}

struct Echo : Server {
    struct Say {
        using Reply = int;
        int number;
    };
    struct Note {};
    struct Crash {};
    int handle(Say m) { return m.number; }
    void handle(Note) {}
    void handle(Crash) { throw std::runtime_error("crash"); }
};

/// Talks to an echo on another shard and to one on its own.
Task<Result<>> conversation() {
    for (std::uint8_t shard : {0, 1}) {
        auto pid = co_await spawn_on(shard, [] {
            return spawn_with<Echo>({.name = "echo" + std::to_string(shard_index())}).pid();
        });
        Ref<Echo> echo(*pid);
        EXPECT_EQ(co_await call(echo, Echo::Say{4}), 4);
        co_await sleep(5ms);
        cast(echo, Echo::Crash{});
        cast(echo, Echo::Note{});
        (void)co_await exit_of(echo.pid());
    }
    co_return {};
}

TEST(SimTrace, has_who_said_what_to_whom_and_when) {
    LogCapture quiet(LogLevel::off);
    auto outcome = simulate({.trace = 1000}, &conversation);
    ASSERT_EQ(outcome.status, 0);
    std::map<std::string, Pid> named;
    for (const auto& [pid, participant] : outcome.trace->participants()) {
        named[participant.name] = pid;
        EXPECT_GE(participant.ended, participant.started)
            << "all of them ended: " << participant.name;
    }
    Pid main = named.at("main");
    for (const char* name : {"echo0", "echo1"}) {
        Pid echo = named.at(name);
        std::vector<std::string> seen;
        for (const TraceEvent& event : outcome.trace->events()) {
            if (event.from != echo && event.to != echo) continue;
            std::string text = event.text.substr(event.text.rfind(':') + 1);
            if (event.kind == Kind::message) {
                EXPECT_EQ(event.from, main) << text;
                EXPECT_GE(event.arrived, event.sent) << text;
                EXPECT_EQ(event.lost, text == "Note (no such process)") << text;
                EXPECT_EQ(event.ran.count() >= 0, text == "Say" || text == "Crash") << text;
            } else if (event.kind == Kind::answer) {
                EXPECT_EQ(event.to, main);
                text = "reply";
            } else {
                text = event.kind == Kind::spawn ? "spawn" : "exit";
            }
            seen.push_back(text);
        }
        // On its own shard the second message is in the mailbox already when the first crashes it.
        EXPECT_EQ(seen[0], "spawn");
        EXPECT_EQ(seen[1], "Say");
        EXPECT_EQ(seen[2], "reply");
        EXPECT_EQ(seen[3], "Crash");
        EXPECT_TRUE(std::find(seen.begin(), seen.end(), "exit") != seen.end());
    }
    EXPECT_TRUE(std::any_of(outcome.trace->events().begin(), outcome.trace->events().end(),
                            [&](const TraceEvent& event) {
                                return event.by_timer && event.to == main && event.sent >= 5ms;
                            }))
        << "the end of the sleep";
}

struct Program {
    const char* name;
    Task<Result<>> (*main)();
};

Task<Result<>> crashing_tree() {
    std::vector<ChildSpec> specs;
    for (std::uint8_t i = 0; i < 4; ++i) {
        specs.push_back(child<Echo>({.id = std::to_string(i),
                                     .name = std::to_string(i),
                                     .place = place::shard(static_cast<std::uint8_t>(i % 2))}));
    }
    co_await require(
        supervise({.strategy = rest_for_one, .budget = {.restarts = 1000}}, std::move(specs)));
    for (int i = 0; i < 30; ++i) {
        cast(whereis<Echo>(std::to_string(random().below(4))), Echo::Crash{});
        co_await sleep(Duration(random().below(20'000'000)));
    }
    co_return {};
}

Task<Result<>> executor_and_clock() {
    for (int i = 0; i < 30; ++i) {
        spawn_task([]() -> Task<> {
            co_await offload([] {});
            co_await sleep(Duration(random().below(5'000'000)));
        });
    }
    co_await sleep(1s);
    co_return {};
}

Task<Result<>> two_sockets() {
    SocketHandle listener = reactor().listen({"127.0.0.1", 80}, {}).value();
    SocketHandle client = reactor().connect({"127.0.0.1", 80}).value();
    co_await sleep(10ms);
    SocketHandle server = -1;
    (void)reactor().accept(listener, server);
    for (int i = 0; i < 50; ++i) {
        (void)reactor().write(client, std::string(random().below(300), 'x'));
        co_await sleep(1ms);
        std::array<char, 100> buffer;
        // What it does next depends on what has arrived.
        IoResult got = reactor().read(server, buffer);
        if (got.bytes % 2) co_await call(spawn<Echo>(), Echo::Say{1});
    }
    co_return {};
}

TEST(SimTrace, equal_seeds_give_equal_digests_traced_or_not) {
    LogCapture quiet(LogLevel::off);
    for (Program program : {Program{"conversation", &conversation},
                            {"tree", &crashing_tree},
                            {"executor", &executor_and_clock},
                            {"sockets", &two_sockets}}) {
        SCOPED_TRACE(program.name);
        std::set<std::uint64_t> digests;
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            FaultOptions faults{.clock_jumps = 1, .suspends = 1, .delays = 0.1, .slow_jobs = 0.1};
            std::uint64_t digest = simulate({.seed = seed, .faults = faults}, program.main).digest;
            digests.insert(digest);
            EXPECT_EQ(simulate({.seed = seed, .faults = faults}, program.main).digest, digest);
            EXPECT_EQ(simulate({.seed = seed, .faults = faults, .trace = 50}, program.main).digest,
                      digest);
        }
        EXPECT_GE(digests.size(), 3U);
    }
}

TEST(SimTrace, another_message_gives_another_digest) {
    auto digest_of = [](bool other) {
        return simulate({},
                        [other]() -> Task<Result<>> {
                            auto echo = spawn<Echo>();
                            if (other) {
                                cast(echo, Echo::Note{});
                            } else {
                                cast(echo, Echo::Say{});
                            }
                            co_await sleep(1ms);
                            co_return {};
                        })
            .digest;
    };
    EXPECT_EQ(digest_of(false), digest_of(false));
    EXPECT_NE(digest_of(false), digest_of(true));
}

}  // namespace bennu::sim_trace_test
