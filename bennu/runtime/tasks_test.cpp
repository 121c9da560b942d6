#include "bennu/base/log.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/race.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/stream.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::tasks_test {

using namespace std::chrono_literals;

Task<int> after(Duration delay, int value) {
    if (delay > Duration::zero()) co_await sleep(delay);
    co_return value;
}
Task<int> counted(int& alive, Duration delay, int value) {
    CountsAlive mark(alive);
    co_await sleep(delay);
    co_return value;
}
Task<int> fails_after(Duration delay) {
    if (delay > Duration::zero()) co_await sleep(delay);
    throw std::runtime_error("failed on purpose");
}
Task<> waits(Duration delay, bool& done) {
    co_await sleep(delay);
    done = true;
}
Task<> counts_for_ever(int& alive) {
    CountsAlive mark(alive);
    co_await sleep(1000h);
}

BENNU_SIM_TEST(Gather, yields_values_in_order_after_the_slowest, options) {
    finishes(options, []() -> Task<Result<>> {
        bool done = false;
        Instant start = now();
        auto [a, nothing, b, c] =
            co_await gather(after(3s, 1), waits(1s, done), after(2s, 2), after(0s, 3));
        static_cast<void>(nothing);
        EXPECT_EQ(a * 100 + b * 10 + c, 123);
        EXPECT_TRUE(done);
        EXPECT_GE(now() - start, 3s);
        EXPECT_LT(now() - start, 3100ms);
        std::vector<Task<int>> many;
        for (int i = 0; i < 100; ++i)
            many.push_back(after(Duration(random().below(50'000'000)), i));
        std::vector<int> values = co_await gather(std::move(many));
        for (int i = 0; i < 100; ++i) EXPECT_EQ(values.at(static_cast<std::size_t>(i)), i);
        EXPECT_TRUE((co_await gather(std::vector<Task<int>>())).empty());
        co_return {};
    });
}

BENNU_SIM_TEST(Gather, a_fault_destroys_the_rest_and_is_the_callers, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        for (Duration delay : {Duration(0), Duration(5ms)}) {
            auto outcome = co_await contain([](int& count, Duration wait) -> Task<> {
                co_await gather(counted(count, 1h, 1), fails_after(wait), counted(count, 1h, 2));
            }(alive, delay));
            EXPECT_FALSE(outcome);
            EXPECT_EQ(outcome.fault->describe(), "std::runtime_error: failed on purpose");
            EXPECT_EQ(alive, 0);
            // Where it was thrown, the gather, and who awaits the gather.
            EXPECT_EQ(outcome.fault->awaits.size(), 3U);
        }
        Pid crashes = spawn_task(
            [&]() -> Task<> { co_await gather(counted(alive, 1h, 1), fails_after(2ms)); });
        auto reason = co_await exit_of(crashes);
        EXPECT_EQ(reason->kind(), ExitReason::Kind::fault);
        EXPECT_EQ(alive, 0);
        co_return {};
    });
}

BENNU_SIM_TEST(Gather, nests_and_is_destroyed_with_its_process, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        Pid pid = spawn_task([&]() -> Task<> {
            co_await gather(counted(alive, 1h, 1), [](int& count) -> Task<> {
                co_await gather(counted(count, 1h, 2), counted(count, 2h, 3));
            }(alive));
        });
        co_await sleep(1s);
        EXPECT_EQ(alive, 3);
        kill(pid);
        EXPECT_EQ(alive, 0);
        co_return {};
    });
}

BENNU_SIM_TEST(Race, the_first_wins_and_the_others_are_gone, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        auto first =
            co_await race(counted(alive, 1h, 1), counted(alive, 5ms, 2), counted(alive, 2h, 3));
        EXPECT_EQ(first.index, 1U);
        EXPECT_EQ(first.value, 2);
        EXPECT_EQ(alive, 0);
        auto at_once = co_await race(counted(alive, 1h, 1), after(0s, 7), counted(alive, 1h, 1));
        EXPECT_EQ(at_once.index, 1U);
        EXPECT_EQ(at_once.value, 7);
        bool done = false;
        auto mixed = co_await race(after(1h, 1), waits(1ms, done));
        EXPECT_EQ(mixed.value.index(), 1U);
        std::vector<Task<int>> many;
        for (int i = 0; i < 20; ++i) many.push_back(after((20 - i) * 1s, i));
        EXPECT_EQ((co_await race(std::move(many))).value, 19);
        EXPECT_FALSE(co_await contain(race(counted(alive, 1h, 1), fails_after(1ms))));
        EXPECT_EQ(alive, 0);
        co_return {};
    });
}

BENNU_SIM_TEST(Within, a_task_has_its_time_and_no_more, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        Result<int> late = co_await within(counted(alive, 1h, 1), 10ms);
        EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
        EXPECT_EQ(alive, 0);
        Result<int> early = co_await within(after(5ms, 5), 10ms);
        EXPECT_EQ(early.value(), 5);
        Result<> own = co_await within(
            []() -> Task<Result<>> {
                co_await require(Result<>(Error(ErrorKind::conflict, "own")));
                co_return {};
            }(),
            10ms);
        EXPECT_EQ(own.error().code(), "own");
        EXPECT_FALSE(co_await contain(within(fails_after(1ms), 10ms)));
        bool done = false;
        EXPECT_TRUE(co_await within(waits(1ms, done), Duration::max()));
        // Both due in the same instant: one of the two, and only once.
        for (int i = 0; i < 20; ++i) (void)co_await within(after(10ms, 1), 10ms);
        co_return {};
    });
}

BENNU_SIM_TEST(Scope, waits_for_all_and_yields_the_bodys_value, options) {
    finishes(options, []() -> Task<Result<>> {
        int sum = 0;
        int result = co_await scoped([&sum](Scope& scope) -> Task<int> {
            for (int i = 1; i <= 10; ++i)
                scope.run([](int& total, int n) -> Task<> {
                    co_await sleep(n * 1ms);
                    total += n;
                }(sum, i));
            co_return 7;
        });
        EXPECT_EQ(result, 7);
        EXPECT_EQ(sum, 55);
        co_return {};
    });
}

BENNU_SIM_TEST(Scope, a_fault_takes_body_and_tasks_down_and_goes_to_the_caller, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        auto contained = co_await contain(scoped([&alive](Scope& scope) -> Task<> {
            CountsAlive mark(alive);
            scope.run(counts_for_ever(alive));
            scope.run([](Scope& inner, int& count) -> Task<> {
                inner.run(counts_for_ever(count));
                co_await sleep(3ms);
                throw std::runtime_error("from a task");
            }(scope, alive));
            co_await sleep(1h);
        }));
        EXPECT_EQ(contained.fault->describe(), "std::runtime_error: from a task");
        EXPECT_EQ(alive, 0);
        contained = co_await contain(scoped([&alive](Scope& scope) -> Task<> {
            scope.run(counts_for_ever(alive));
            throw std::runtime_error("from the body");
            co_return;
        }));
        EXPECT_EQ(contained.fault->describe(), "std::runtime_error: from the body");
        EXPECT_EQ(alive, 0);
        co_return {};
    });
}

BENNU_SIM_TEST(Scope, cancel_spares_the_task_that_asks, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        bool went_on = false;
        co_await scoped([&](Scope& scope) -> Task<> {
            scope.run(counts_for_ever(alive));
            scope.run([](Scope& s, bool& on) -> Task<> {
                co_await sleep(1ms);
                // From below a gather: the asking task is found through the awaiting frames.
                co_await gather(after(1ms, 1), [](Scope& same) -> Task<> {
                    co_await sleep(2ms);
                    co_await same.cancel();
                }(s));
                on = true;
            }(scope, went_on));
            co_await sleep(1h);
        });
        EXPECT_TRUE(went_on);
        EXPECT_EQ(alive, 0);
        co_return {};
    });
}

/// Starts work that outlives the handler.
struct Background : Server {
    explicit Background(int& count) : alive(count) {}
    struct Begin {};
    struct Fail {};
    struct Running {
        using Reply = std::size_t;
    };
    void handle(Begin) { tasks.run(counts_for_ever(alive)); }
    void handle(Fail) {
        tasks.run([]() -> Task<> {
            co_await sleep(1ms);
            throw std::runtime_error("in the background");
        }());
    }
    std::size_t handle(Running) { return tasks.running(); }
    int& alive;
    Scope tasks;
};

BENNU_SIM_TEST(Scope, of_a_server_runs_between_messages_and_ends_with_it, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        auto server = spawn<Background>(alive);
        cast(server, Background::Begin{});
        cast(server, Background::Begin{});
        EXPECT_EQ(co_await call(server, Background::Running{}), 2U);
        co_await sleep(1ms);
        EXPECT_EQ(alive, 2);
        cast(server, Background::Fail{});
        auto reason = co_await exit_of(server.pid());
        EXPECT_NE(reason->describe().find("in the background"), std::string::npos);
        EXPECT_EQ(alive, 0);
        co_return {};
    });
}

/// Each level awaits the next; the last one waits.
Task<int> nested(int levels, Duration wait) {
    if (levels == 0) {
        co_await sleep(wait);
        co_return 0;
    }
    co_return 1 + co_await nested(levels - 1, wait);
}
Task<int> nested_gathers(int levels) {
    if (levels == 0) {
        co_await sleep(1h);
        co_return 0;
    }
    auto [below] = co_await gather(nested_gathers(levels - 1));
    co_return below + 1;
}
Stream<int> nested_streams(int levels) {
    if (levels == 0) {
        co_await sleep(1h);
        co_return;
    }
    Stream<int> below = nested_streams(levels - 1);
    while (auto item = co_await below.next()) co_yield *item + 1;
}

BENNU_SIM_TEST(DeepAwaits, complete_and_are_destroyed_without_overflow, options) {
    finishes(options, []() -> Task<Result<>> {
        EXPECT_EQ(co_await nested(3'900, 1ms), 3'900);
        int alive = 0;
        Pid suspended = spawn_task([&alive]() -> Task<> {
            CountsAlive mark(alive);
            (void)co_await nested(3'900, 1h);
        });
        co_await sleep(1ms);
        EXPECT_EQ(alive, 1);
        kill(suspended);
        EXPECT_EQ(alive, 0);
        co_return {};
    });
}

BENNU_SIM_TEST(DeepAwaits, a_chain_that_never_ends_is_a_fault, options) {
    LogCapture log;
    finishes(options, []() -> Task<Result<>> {
        auto contained = co_await contain(nested(1'000'000, 1ms));
        EXPECT_EQ(contained.fault->describe(),
                  "std::length_error: too many tasks await one another");
        EXPECT_EQ((co_await contain(nested(100, 1ms))).value, 100) << "the process goes on";
        Pid recursion = spawn_task([]() -> Task<> { (void)co_await nested(1'000'000, 1ms); });
        auto reason = co_await exit_of(recursion);
        EXPECT_NE(reason->describe().find("too many tasks"), std::string::npos);
        EXPECT_LT(reason->awaits().size(), 100U) << "a crash report can be read";
        EXPECT_FALSE(co_await contain(nested_gathers(1'000'000)));
        EXPECT_FALSE(co_await contain([]() -> Task<> {
            auto stream = nested_streams(1'000'000);
            (void)co_await stream.next();
        }()));
        co_return {};
    });
}

}  // namespace bennu::tasks_test
