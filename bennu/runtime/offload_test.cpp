#include "bennu/runtime/offload.hpp"

#include <atomic>
#include <semaphore>

#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::offload_test {

using namespace std::chrono_literals;

BENNU_SIM_TEST(Offload, a_full_queue_is_overloaded, options) {
    finishes(options, []() -> Task<Result<>> {
        auto executor = make_executor({.threads = 1, .queue_limit = 5});
        int done = 0, overloaded = 0;
        std::vector<Pid> callers;
        for (int i = 0; i < 8; ++i) {
            callers.push_back(spawn_task([&]() -> Task<> {
                Result<int> outcome =
                    co_await offload(*executor, []() -> Result<int> { return 1; });
                if (outcome) ++done;
                if (!outcome && outcome.error().kind() == ErrorKind::overloaded) ++overloaded;
            }));
        }
        for (Pid caller : callers) (void)co_await exit_of(caller);
        EXPECT_EQ(done, 5);
        EXPECT_EQ(overloaded, 3);
        // There is room again; and without a Result a full queue is a fault.
        EXPECT_EQ(co_await offload(*executor, [] { return 7; }), 7);
        auto none = make_executor({.threads = 1, .queue_limit = 0});
        auto outcome = co_await contain([](Executor& full) -> Task<int> {
            co_return co_await offload(full, [] { return 1; });
        }(*none));
        EXPECT_TRUE(outcome.fault);
        co_return {};
    });
}

BENNU_SIM_TEST(Offload, a_queued_job_of_a_cancelled_caller_is_not_run, options) {
    finishes(options, []() -> Task<Result<>> {
        auto executor = make_executor({.threads = 1});
        std::vector<int> ran, expected;
        int captures = 0;
        std::vector<Pid> callers;
        for (int i = 0; i < 10; ++i) {
            callers.push_back(spawn_task([&, i]() -> Task<> {
                co_await offload(*executor,
                                 [&ran, i, held = CountsAlive(captures)] { ran.push_back(i); });
            }));
        }
        while (captures < 10) co_await yield_now();
        for (int i = 0; i < 10; ++i) {
            if (random().below(2) == 0) {
                kill(callers[static_cast<std::size_t>(i)]);
            } else {
                expected.push_back(i);
            }
        }
        co_await sleep(1s);
        EXPECT_EQ(ran, expected);
        EXPECT_EQ(captures, 0);
        co_return {};
    });
}

TEST(OffloadMultiShard, threads_skip_what_was_cancelled) {
    std::atomic<int> ran = 0;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        auto executor = make_executor({.threads = 1, .queue_limit = 10});
        std::binary_semaphore begun(0), release(0);
        Pid first = spawn_task([&]() -> Task<> {
            co_await offload(*executor, [&] {
                begun.release();
                release.acquire();
                ++ran;
            });
        });
        co_await offload([&] { begun.acquire(); });
        std::vector<Pid> queued;
        int asked = 0, overloaded = 0;
        for (int i = 0; i < 12; ++i) {
            queued.push_back(spawn_task([&]() -> Task<> {
                ++asked;
                Result<int> outcome =
                    co_await offload(*executor, [&]() -> Result<int> { return ++ran; });
                if (!outcome) ++overloaded;
            }));
        }
        while (asked < 12) co_await yield_now();
        co_await yield_now();
        EXPECT_EQ(overloaded, 2);
        for (std::size_t i = 0; i < 8; ++i) kill(queued[i]);
        release.release();
        (void)co_await exit_of(first);
        for (Pid pid : queued) (void)co_await exit_of(pid);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(ran, 3);
}

}  // namespace bennu::offload_test
