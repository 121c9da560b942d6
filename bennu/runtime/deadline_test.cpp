#include "bennu/runtime/race.hpp"
#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::deadline_test {

using namespace std::chrono_literals;

/// Answers after a while.
struct Slow : Server {
    struct Work {
        using Reply = int;
        int number;
        Duration time;
    };
    Task<int> handle(Work work) {
        began.push_back(work.number);
        co_await sleep(work.time);
        gone.push_back(caller_gone());
        co_return work.number;
    }
    std::vector<int> began;
    std::vector<bool> gone;
};

/// Asks the next one, as many times over as there are links left.
struct Chain : Server {
    Chain(Ref<Slow> s, Ref<Chain> n) : slow(s), next(n) {}
    struct Ask {
        using Reply = Duration;  ///< how long the innermost call waited
        CallOptions options;
    };
    Task<Duration> handle(Ask ask) {
        Instant start = now();
        if (next) {
            auto waited = co_await try_call(next, Ask{ask.options}, ask.options);
            (void)waited;
        } else {
            (void)co_await try_call(slow, Slow::Work{1, 1s}, ask.options);
        }
        waited = now() - start;
        co_return waited;
    }
    Ref<Slow> slow;
    Ref<Chain> next;
    Duration waited{};
};

BENNU_SIM_TEST(Deadline, no_link_of_a_chain_waits_longer_than_the_first_caller, options) {
    finishes(options, []() -> Task<Result<>> {
        Ref<Slow> slow(*co_await spawn_on(1, [] { return spawn<Slow>().pid(); }));
        std::vector<Ref<Chain>> links;
        for (std::uint8_t i = 0; i < 4; ++i) {
            Ref<Chain> next = links.empty() ? Ref<Chain>() : links.back();
            links.emplace_back(
                *co_await spawn_on(i % 2, [slow, next] { return spawn<Chain>(slow, next).pid(); }));
        }
        auto waited = [&](Ref<Chain> link) -> Task<Duration> {
            Duration duration{};
            (void)co_await spawn_on(link.pid().shard(), [&] {
                duration = local_body(link)->waited;
                return Pid();
            });
            co_return duration;
        };
        Duration timeout = 20ms + Duration(random().below(100'000'000));
        Instant start = now();
        auto outcome = co_await try_call(links.back(), Chain::Ask{}, {.timeout = timeout});
        // (Or an answer from a link that gave up in the same instant.)
        if (!outcome) {
            EXPECT_EQ(outcome.error().kind(), ErrorKind::timeout);
        }
        EXPECT_LE(now() - start, timeout + 1ms);
        co_await sleep(4ms);
        for (auto link : links) {
            Duration took = co_await waited(link);
            EXPECT_GT(took, timeout - 5ms);
            EXPECT_LE(took, timeout + 3ms);
        }
        // Unless a link wants to know in any case.
        co_await sleep(2s);
        Chain::Ask stubborn{.options = {.timeout = 5s, .inherit_deadline = false}};
        (void)co_await try_call(links.front(), stubborn, {.timeout = timeout});
        co_await sleep(2s);
        EXPECT_GE(co_await waited(links.front()), 1s);
        // A longer patience of the caller changes nothing.
        auto own = co_await call(links.front(), Chain::Ask{{.timeout = 10ms}}, {.timeout = 1min});
        EXPECT_GE(own, 10ms);
        EXPECT_LE(own, 12ms);
        co_return {};
    });
}

/// Has work of its own beside its handlers.
struct Busy : Server {
    explicit Busy(Ref<Slow> s) : slow(s) {}
    struct Begin {};
    struct Wait {
        using Reply = int;
    };
    void handle(Begin) { scope.run(background()); }
    Task<> background() {
        co_await sleep(5ms);
        answer = co_await call(slow, Slow::Work{7, 100ms});
    }
    Task<int> handle(Wait) {
        co_await sleep(50ms);
        co_return 1;
    }
    Ref<Slow> slow;
    int answer = 0;
    Scope scope;
};

BENNU_SIM_TEST(Deadline, work_beside_a_handler_does_not_inherit_its_deadline, options) {
    finishes(options, []() -> Task<Result<>> {
        auto busy = spawn<Busy>(spawn<Slow>());
        cast(busy, Busy::Begin{});
        EXPECT_FALSE(co_await try_call(busy, Busy::Wait{}, {.timeout = 10ms}));
        co_await sleep(200ms);
        EXPECT_EQ(local_body(busy)->answer, 7);
        co_return {};
    });
}

BENNU_SIM_TEST(Deadline, calls_of_cancelled_callers_are_not_run, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t where : {0, 1}) {
            Ref<Slow> slow(*co_await spawn_on(where, [] { return spawn<Slow>().pid(); }));
            std::vector<Pid> callers;
            for (int i = 0; i < 10; ++i) {
                callers.push_back(spawn_task([slow, i]() -> Task<> {
                    (void)co_await try_call(slow, Slow::Work{i, 100ms}, {.timeout = 1h});
                }));
            }
            co_await sleep(10ms);
            std::vector<int> expected{0};
            for (int i = 1; i < 10; ++i) {
                if (random().below(2) == 0) {
                    kill(callers[static_cast<std::size_t>(i)]);
                } else {
                    expected.push_back(i);
                }
            }
            // The loser of a race gives up, too.
            auto other = [](Ref<Slow> to) -> Task<> {
                (void)co_await try_call(to, Slow::Work{100, 1s}, {.timeout = 1h});
            };
            (void)co_await race(other(slow), [](Duration d) -> Task<> { co_await sleep(d); }(5ms));
            for (Pid caller : callers) (void)co_await exit_of(caller);
            co_await sleep(1s);
            std::vector<int> began;
            (void)co_await spawn_on(where, [&] {
                began = local_body(slow)->began;
                return Pid();
            });
            EXPECT_EQ(began, expected);
            EXPECT_EQ(Runtime::current()->shard(where).calls_skipped(), 11 - expected.size());
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Deadline, a_handler_in_progress_can_ask_whether_its_caller_is_gone, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t where : {0, 1}) {
            Ref<Slow> slow(*co_await spawn_on(where, [] { return spawn<Slow>().pid(); }));
            EXPECT_FALSE(caller_gone());
            (void)co_await try_call(slow, Slow::Work{0, 10ms});
            (void)co_await try_call(slow, Slow::Work{1, 10ms}, {.timeout = 5ms});
            Pid caller = spawn_task(
                [slow]() -> Task<> { (void)co_await try_call(slow, Slow::Work{2, 30ms}); });
            co_await sleep(20ms);
            kill(caller);
            cast(slow, Slow::Work{3, 10ms});
            co_await sleep(1s);
            (void)co_await spawn_on(where, [&] {
                EXPECT_EQ(local_body(slow)->gone, (std::vector<bool>{false, true, true, false}));
                return Pid();
            });
        }
        co_return {};
    });
}

}  // namespace bennu::deadline_test
