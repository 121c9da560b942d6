#include "bennu/runtime/async.hpp"

#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::async_test {

using namespace std::chrono_literals;

Task<int> later(Duration delay, int value) {
    co_await sleep(delay);
    co_return value;
}

BENNU_SIM_TEST(Async, runs_beside_its_owner_on_any_shard, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t shard : {0, 1}) {
            Instant start = now();
            Pid there;
            auto one = async(
                [&there]() -> Task<int> {
                    there = self();
                    co_return co_await later(1s, 1);
                },
                {.shard = shard});
            auto two =
                async([]() -> Task<int> { co_return co_await later(2s, 2); }, {.shard = shard});
            auto none = async([]() -> Task<> { co_await sleep(1ms); }, {.shard = shard});
            auto text = async([]() -> Task<std::string> { co_return std::string(100, 'x'); });
            co_await sleep(1s);
            EXPECT_EQ(co_await await(two), 2);
            EXPECT_EQ(co_await await(one), 1);
            co_await await(none);
            EXPECT_EQ((co_await try_await(text))->size(), 100U);
            EXPECT_LT(now() - start, 2100ms);
            EXPECT_EQ((co_await try_await(one)).error().code(), "awaited");
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Async, a_linked_fault_ends_the_owner_though_it_does_not_await, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t shard : {0, 1}) {
            Pid owner = spawn_task([shard]() -> Task<> {
                auto task = async(
                    []() -> Task<> {
                        co_await sleep(1ms);
                        throw std::runtime_error("in the task");
                    },
                    {.shard = shard});
                co_await sleep(1h);
            });
            auto reason = co_await exit_of(owner, 1min);
            EXPECT_NE(reason->describe().find("in the task"), std::string::npos);
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Async, an_unlinked_fault_or_kill_is_an_outcome, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t shard : {0, 1}) {
            auto crashes = async_nolink(
                []() -> Task<int> {
                    co_await sleep(1ms);
                    throw std::runtime_error("in the task");
                },
                {.shard = shard});
            Result<int> outcome = co_await try_await(crashes);
            EXPECT_EQ(outcome.error().code(), "crashed");
            EXPECT_NE(outcome.error().message().find("in the task"), std::string::npos);
            Pid pid;
            auto killed = async_nolink(
                [&pid]() -> Task<> {
                    pid = self();
                    co_await sleep(1h);
                },
                {.shard = shard});
            while (!pid) co_await sleep(1ms);
            kill(pid);
            EXPECT_EQ((co_await try_await(killed)).error().code(), "killed");
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Async, a_late_task_goes_on_and_ends_with_its_handle, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        for (std::uint8_t shard : {0, 1}) {
            auto slow = async(
                [&alive]() -> Task<int> {
                    CountsAlive mark(alive);
                    co_return co_await later(10s, 5);
                },
                {.shard = shard});
            EXPECT_EQ((co_await try_await(slow, 1s)).error().kind(), ErrorKind::timeout);
            EXPECT_EQ(alive, 1);
            EXPECT_EQ(co_await await(slow, 1min), 5);
            {
                auto dropped = async(
                    [mark = CountsAlive(alive)]() -> Task<int> { co_return co_await later(1h, 1); },
                    {.shard = shard});
                co_await sleep(1ms);
                EXPECT_GE(alive, 1);
            }
            co_await sleep(1ms);
            EXPECT_EQ(alive, 0);
            Pid owner = spawn_task([&alive, shard]() -> Task<> {
                auto task = async(
                    [mark = CountsAlive(alive)]() -> Task<int> { co_return co_await later(1h, 1); },
                    {.shard = shard});
                co_await sleep(10ms);
            });
            (void)co_await exit_of(owner);
            co_await sleep(1ms);
            EXPECT_EQ(alive, 0);
        }
        co_return {};
    });
}

TEST(AsyncMultiShard, values_and_faults_cross_threads) {
    int sum = 0;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        for (int round = 0; round < 200; ++round) {
            auto a = async([round]() -> Task<int> { co_return round; }, {.shard = 1});
            auto b = async_nolink(
                []() -> Task<int> {
                    throw std::logic_error("b");
                    co_return 1;
                },
                {.shard = 1});
            auto dropped =
                async([]() -> Task<int> { co_return co_await later(1h, 1); }, {.shard = 1});
            sum += co_await await(a);
            EXPECT_EQ((co_await try_await(b)).error().code(), "crashed");
        }
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(sum, 199 * 100);
}

BENNU_SIM_TEST(Async, the_program_may_end_before_its_tasks_have_begun, options) {
    int alive = 0;
    simulate(options, [&alive]() -> Task<Result<>> {
        std::vector<Async<int>> tasks;
        for (int i = 0; i < 100; ++i) {
            tasks.push_back(async(
                [mark = CountsAlive(alive)]() -> Task<int> { co_return co_await later(1h, 1); },
                {.shard = static_cast<std::uint8_t>(i % 2)}));
        }
        co_return {};
    });
    EXPECT_EQ(alive, 0);
}

}  // namespace bennu::async_test
