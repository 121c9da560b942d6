#include "bennu/runtime/interval.hpp"

#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::runtime_time_test {

using namespace std::chrono_literals;

BENNU_SIM_TEST(Interval, does_not_drift_and_skips_what_was_missed, options) {
    finishes(options, []() -> Task<Result<>> {
        Instant start = now();
        interval every(100ms);
        for (int i = 1; i <= 50; ++i) {
            EXPECT_EQ(co_await every.tick(), 0U);
            EXPECT_GE(now() - start, i * 100ms);
            EXPECT_LE(now() - start, i * 100ms + 2ms);
            co_await sleep(Duration(random().below(90'000'000)));
        }
        co_await sleep(450ms);
        EXPECT_GE(co_await every.tick(), 3U);
        EXPECT_EQ((now() - start) / 100ms, (now() - start + 98ms) / 100ms);
        co_return {};
    });
}

struct Ticker : Server {
    struct Tick {
        std::string text;
    };
    struct Stop {};
    void handle(Tick tick) {
        EXPECT_EQ(tick.text, "tick");
        ++ticks;
    }
    int ticks = 0;
};

BENNU_SIM_TEST(Interval, sends_until_cancelled_or_the_receiver_is_gone, options) {
    finishes(options, []() -> Task<Result<>> {
        auto& timers = detail::Shard::current()->timers();
        auto ticker = spawn<Ticker>();
        auto id = send_interval(ticker, Ticker::Tick{"tick"}, 10ms);
        co_await sleep(1005ms);
        EXPECT_EQ(local_body(ticker)->ticks, 100);
        EXPECT_TRUE(cancel_interval(id));
        EXPECT_FALSE(cancel_interval(id));
        co_await sleep(1s);
        EXPECT_EQ(local_body(ticker)->ticks, 100);
        id = send_interval(ticker, Ticker::Tick{"tick"}, 10ms);
        kill(ticker.pid());
        co_await sleep(20ms);
        EXPECT_EQ(timers.size(), 0U);
        EXPECT_FALSE(cancel_interval(id));
        co_return {};
    });
}

/// Takes its time, and says how much its callers have left.
struct Busy : Server {
    struct Work {
        using Reply = Duration;
        Duration time;
    };
    struct Left {
        using Reply = Duration;
    };
    struct Note {};
    Task<Duration> handle(Work work) {
        ++worked;
        EXPECT_LE(time_left(), 1s);
        co_await sleep(work.time);
        co_return time_left();
    }
    Duration handle(Left) { return time_left(); }
    void handle(Note) { EXPECT_EQ(time_left(), Duration::max()); }
    int worked = 0;
};

BENNU_SIM_TEST(Deadline, a_handler_knows_what_is_left, options) {
    finishes(options, []() -> Task<Result<>> {
        EXPECT_EQ(time_left(), Duration::max());
        auto busy = spawn<Busy>();
        EXPECT_EQ(co_await call(busy, Busy::Left{}, {.timeout = 3s}), 3s);
        EXPECT_EQ(co_await call(busy, Busy::Left{}, {.timeout = Duration::max()}), Duration::max());
        cast(busy, Busy::Note{});
        auto left = co_await call(busy, Busy::Work{300ms}, {.timeout = 1s});
        EXPECT_GE(left, 697ms);
        EXPECT_LE(left, 702ms);
        cast(busy, Busy::Note{});
        auto remote = Ref<Busy>((co_await spawn_on(1, [] { return spawn<Busy>().pid(); })).value());
        left = co_await call(remote, Busy::Work{300ms}, {.timeout = 1s});
        EXPECT_GE(left, 690ms);
        EXPECT_LE(left, 702ms);
        co_return {};
    });
}

BENNU_SIM_TEST(Deadline, calls_of_callers_that_gave_up_are_not_run, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t shard : {0, 1}) {
            auto busy =
                Ref<Busy>((co_await spawn_on(shard, [] { return spawn<Busy>().pid(); })).value());
            for (int i = 0; i < 5; ++i) {
                auto late = co_await try_call(busy, Busy::Work{1s}, {.timeout = 100ms});
                EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
            }
            co_await sleep(1s);
            EXPECT_TRUE(co_await try_call(busy, Busy::Work{1ms}, {.timeout = 1s}));
            // The one that was begun, and the last.
            int worked = 0;
            (void)co_await spawn_on(shard, [&worked, busy] {
                worked = local_body(busy)->worked;
                return Pid();
            });
            EXPECT_EQ(worked, 2);
            EXPECT_EQ(Runtime::current()->shard(shard).calls_skipped(), 4U);
        }
        co_return {};
    });
}

}  // namespace bennu::runtime_time_test
