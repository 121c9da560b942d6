// Faults on purpose, and signs of life.
#include "bennu/runtime/insight/exercise.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/runtime/insight/ping.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::exercise_test {

using namespace std::chrono_literals;

struct Worker : Server {
    struct Get {
        using Reply = int;
    };
    struct Add {};
    struct Rest {
        using Reply = int;
    };
    void handle(Add) { ++count; }
    int handle(Get) { return count; }
    Task<> doze() { co_await sleep(1h); }
    Task<int> handle(Rest) {
        co_await doze();
        co_return 1;
    }
    int count = 0;
};

/// Collects pongs.
struct Listener : Server {
    struct Heard {
        using Reply = std::vector<runtime::Pong>;
    };
    void handle(runtime::Pong pong) { pongs.push_back(pong); }
    std::vector<runtime::Pong> handle(Heard) { return std::exchange(pongs, {}); }
    std::vector<runtime::Pong> pongs;
};

Task<Result<Ref<Supervisor>>> crew() {
    std::vector<ChildSpec> children;
    children.push_back(child<Worker>({.id = "near", .name = "near", .place = place::shard(0)}));
    children.push_back(child<Worker>({.id = "far", .name = "far", .place = place::shard(1)}));
    co_return co_await supervise({.name = "crew"}, std::move(children));
}

Task<> until_restarted(std::string name, Pid before) {
    for (int i = 0; i < 1000; ++i) {
        const Pid pid = whereis(name);
        if (pid && pid != before) co_return;
        co_await sleep(1ms);
    }
}

void exercise(SimOptions options, Function<Task<Result<>>()> main) {
    LogCapture log;
    SimOutcome outcome = simulate(std::move(options), std::move(main));
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
}

BENNU_SIM_TEST(Exercise, an_injected_fault_is_a_fault_of_the_process_wherever_it_is, options) {
    exercise(options, []() -> Task<Result<>> {
        co_await require(co_await crew());
        for (std::string name : {"near", "far"}) {
            const Pid before = whereis(name), other = whereis(name == "near" ? "far" : "near");
            cast(Ref<Worker>(before), Worker::Add{});
            co_await require(co_await runtime::crash_process(before, "a drill"));
            co_await until_restarted(name, before);
            EXPECT_EQ(co_await call(whereis<Worker>(name), Worker::Get{}), 0);
            EXPECT_EQ(whereis(name == "near" ? "far" : "near"), other);
            const auto again = co_await runtime::crash_process(before, "too late");
            EXPECT_EQ(again.error().kind(), ErrorKind::not_found);
        }
        const auto history = co_await restart_history();
        EXPECT_EQ(history.size(), 2U);
        EXPECT_EQ(history.at(0).child, "far");
        EXPECT_EQ(history.at(0).pid, whereis("far"));
        EXPECT_EQ(history.at(1).child, "near");
        EXPECT_EQ(history.at(1).pid, whereis("near"));
        EXPECT_NE(history.at(1).was, history.at(1).pid);
        EXPECT_NE(history.at(1).reason.find("InjectedFault: a drill"), std::string::npos)
            << history.at(1).reason;
        co_return {};
    });
}

BENNU_SIM_TEST(Exercise, a_suspended_process_crashes_at_its_await_points_and_fails_its_caller,
               options) {
    exercise(options, []() -> Task<Result<>> {
        co_await require(co_await crew());
        for (std::string name : {"near", "far"}) {
            const Pid before = whereis(name);
            struct Caller : Server {
                struct Ask {
                    using Reply = std::string;
                    Pid pid;
                };
                Task<std::string> handle(Ask ask) {
                    auto answer =
                        co_await try_call(Ref<Worker>(ask.pid), Worker::Rest{}, {.timeout = 2h});
                    co_return answer ? "answered" : std::string(answer.error().message());
                }
            };
            auto caller = spawn<Caller>();
            auto ask = spawn_task([caller, before]() -> Task<> {
                const std::string said =
                    co_await call(caller, Caller::Ask{before}, {.timeout = 2h});
                EXPECT_NE(said.find("InjectedFault"), std::string::npos) << said;
            });
            co_await sleep(10ms);
            co_await require(co_await runtime::crash_process(before, "while it waits"));
            EXPECT_EQ((co_await exit_of(ask))->kind(), ExitReason::Kind::normal);
            co_await until_restarted(name, before);
            const auto history = co_await restart_history();
            EXPECT_EQ(history.at(0).awaits.size(), 2U);
            EXPECT_NE(history.at(0).awaits.at(0).find("doze"), std::string::npos);
            EXPECT_NE(history.at(0).awaits.at(1).find("handle"), std::string::npos);
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Exercise, a_hung_process_answers_nothing_while_others_go_on, options) {
    exercise(options, []() -> Task<Result<>> {
        co_await require(co_await crew());
        auto listener = spawn<Listener>();
        for (std::string name : {"near", "far"}) {
            const auto hung = whereis<Worker>(name);
            const auto other = whereis<Worker>(name == "near" ? "far" : "near");
            co_await require(co_await runtime::hang_process(hung.pid(), 10s));
            for (int i = 0; i < 5; ++i) cast(hung, Worker::Add{});
            runtime::ping({hung.pid(), other.pid()}, listener, 7);
            co_await sleep(9s);
            auto heard = co_await call(listener, Listener::Heard{});
            EXPECT_EQ(heard.size(), 1U);
            EXPECT_EQ(heard.at(0).pid, other.pid());
            EXPECT_EQ(heard.at(0).number, 7U);
            EXPECT_EQ(co_await call(other, Worker::Get{}) % 5, 0);
            for (const TreeNode& root : co_await supervision_tree()) {
                for (const TreeNode& node : root.children) {
                    if (node.pid != hung.pid()) continue;
                    EXPECT_EQ(node.mailbox, 6U);  // and the ping
                    EXPECT_EQ(node.activity, ProcessState::waiting);
                    EXPECT_GT(node.bytes, 6 * 64U);
                }
            }
            co_await sleep(2s);
            heard = co_await call(listener, Listener::Heard{});
            EXPECT_EQ(heard.size(), 1U);
            EXPECT_EQ(heard.at(0).pid, hung.pid());
            EXPECT_EQ(co_await call(hung, Worker::Get{}), 5);
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Exercise, a_hung_process_can_be_killed_and_a_coroutine_cannot_hang, options) {
    exercise(options, []() -> Task<Result<>> {
        co_await require(co_await crew());
        const Pid before = whereis("far");
        co_await require(co_await runtime::hang_process(before, 1h));
        co_await sleep(1s);
        kill(before);
        co_await until_restarted("far", before);
        EXPECT_EQ(co_await call(whereis<Worker>("far"), Worker::Get{}), 0);
        const Pid task = spawn_task([]() -> Task<> { co_await sleep(1h); });
        EXPECT_EQ((co_await runtime::hang_process(task, 1s)).error().code(), "no_mailbox");
        co_await require(co_await runtime::crash_process(task, "of a coroutine"));
        EXPECT_EQ((co_await exit_of(task))->kind(), ExitReason::Kind::noproc);
        EXPECT_EQ((co_await runtime::hang_process(Pid(200, 1, 1), 1s)).error().code(), "noproc");
        co_return {};
    });
}

struct Narrow : Server {
    struct Add {};
    void handle(Add) { ++count; }
    int count = 0;
    static constexpr MailboxOptions mailbox{.limit = 3, .overflow = Overflow::drop_oldest};
};

BENNU_SIM_TEST(Exercise, a_ping_never_pushes_work_out_of_a_full_mailbox, options) {
    exercise(options, []() -> Task<Result<>> {
        auto narrow = spawn<Narrow>();
        auto listener = spawn<Listener>();
        co_await require(co_await runtime::hang_process(narrow.pid(), 1s));
        co_await sleep(1ms);
        for (int i = 0; i < 3; ++i) cast(narrow, Narrow::Add{});
        runtime::ping({narrow.pid(), Pid(), Pid(9, 9, 9)}, listener, 1);
        co_await sleep(2s);
        EXPECT_EQ(local_body(narrow)->count, 3);
        EXPECT_TRUE((co_await call(listener, Listener::Heard{})).empty());
        co_return {};
    });
}

}  // namespace bennu::exercise_test
