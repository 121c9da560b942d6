#include <malloc.h>

#include "bennu/base/log.hpp"
#include "bennu/runtime/async.hpp"
#include "bennu/runtime/async_stream.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/group.hpp"
#include "bennu/runtime/interval.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/pipe.hpp"
#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::cancellation_test {

using namespace std::chrono_literals;

/// What one run of the program below did, and where it is to be struck.
struct Run {
    int points = 0;       ///< suspension points that were passed
    int strike_at = -1;   ///< at this one …
    bool throws = false;  ///< … an exception, else a kill
    int alive = 0;        ///< objects in frames
    int made = 0;
    Pid program;
};

/// Stands in a frame; counts.
struct Held {
    explicit Held(Run& r) : run(r), text(100, 'x') {
        ++run.alive;
        ++run.made;
    }
    Held(const Held& other) : run(other.run), text(other.text) {
        ++run.alive;
        ++run.made;
    }
    ~Held() { --run.alive; }
    Run& run;
    std::string text;
};

/// Called right before every suspension of the program: a kill takes effect at that suspension.
void point(Run& run) {
    if (run.points++ != run.strike_at) return;
    if (run.throws) throw std::runtime_error("struck");
    kill(run.program, "struck");
}

struct Echo : Server {
    struct Say {
        using Reply = std::string;
        std::string text;
    };
    Task<std::string> handle(Say say) {
        co_await sleep(1ms);
        co_return say.text;
    }
};

Task<int> leaf(Run& run, Duration delay) {
    Held held(run);
    point(run);
    co_await sleep(delay);
    point(run);
    co_await sleep(delay);
    co_return 1;
}
Task<Result<int>> outcome(Run& run, bool good) {
    Held held(run);
    point(run);
    co_await sleep(1ms);
    if (!good) co_return Error(ErrorKind::conflict, "bad");
    co_return 1;
}
Task<Result<int>> requires_two(Run& run) {
    Held held(run);
    int first = co_await require(outcome(run, true));
    int second = co_await require(outcome(run, false));
    co_return first + second;
}
Stream<std::string> lines(Run& run) {
    Held held(run);
    for (int i = 0; i < 3; ++i) {
        point(run);
        co_await sleep(1ms);
        point(run);
        co_yield held.text;
    }
}
Task<> reads(Stream<std::string> stream, Run& run) {
    while (true) {
        point(run);
        auto line = co_await stream.next();
        if (!line) co_return;
    }
}
Task<> writes(Sink<std::string> sink, Run& run) {
    Held held(run);
    for (int i = 0; i < 5; ++i) {
        point(run);
        if (!co_await sink.send(held.text)) co_return;
    }
    sink.close();
}

/// Something of everything that suspends.
Task<> program(Run& run) {
    Held held(run);
    auto echo = spawn_with<Echo>({.link = true});
    join_group("struck");
    point(run);
    (void)co_await call(echo, Echo::Say{held.text});
    point(run);
    co_await offload([text = held.text] { return text.size(); });
    co_await gather(leaf(run, 1ms), gather(leaf(run, 2ms), leaf(run, 1ms)), leaf(run, 3ms));
    co_await race(leaf(run, 5ms), leaf(run, 1ms), leaf(run, 2ms));
    (void)co_await requires_two(run);
    (void)co_await within(leaf(run, 10ms), 3ms);
    (void)co_await within(leaf(run, 1ms), 1s);
    co_await scoped([&run](Scope& scope) -> Task<> {
        Held in_body(run);
        scope.run([](Run& r) -> Task<> { co_await leaf(r, 1ms); }(run));
        scope.run([](Run& r) -> Task<> { co_await leaf(r, 50ms); }(run));
        point(run);
        co_await sleep(5ms);
        co_await scope.cancel();
    });
    for (std::uint8_t shard : {0, 1}) {
        auto task = async_nolink(
            [kept = Held(run)]() -> Task<std::string> {
                co_await sleep(1ms);
                co_return kept.text;
            },
            {.shard = shard});
        point(run);
        (void)co_await try_await(task);
        auto late = async([kept = Held(run)]() -> Task<> { co_await sleep(1h); }, {.shard = shard});
        point(run);
        (void)co_await try_await(late, 1ms);
        auto remote = stream_on(shard,
                                [kept = Held(run)]() -> Stream<std::string> {
                                    for (int i = 0; i < 5; ++i) co_yield kept.text;
                                },
                                {.demand = 2});
        co_await reads(std::move(remote), run);
    }
    co_await reads(lines(run), run);
    auto work = [&run](std::string line) -> Task<std::string> {
        co_await leaf(run, 1ms);
        co_return line;
    };
    auto results = async_stream(lines(run), work, {.concurrency = 2, .ordered = false});
    while (true) {
        point(run);
        if (!co_await results.next()) break;
    }
    auto ends = pipe<std::string>({.demand = 1});
    co_await gather(writes(std::move(ends.sink), run), reads(std::move(ends.source), run));
    interval every(1ms);
    point(run);
    co_await every.tick();
    point(run);
    co_await yield_now();
    point(run);
    (void)co_await exit_of(echo.pid(), 1ms);
    point(run);
    co_await stop_and_wait(echo.pid());
}

void run_program(Run& run, std::uint64_t seed) {
    finishes({.seed = seed}, [&run]() -> Task<Result<>> {
        run.program = spawn_task([&run] [[clang::coro_wrapper]] { return program(run); });
        (void)co_await exit_of(run.program);
        co_await sleep(50ms);
        EXPECT_EQ(run.alive, 0);
        EXPECT_TRUE(group_members("struck").empty());
        for (std::uint8_t i : {0, 1}) {
            auto& shard = Runtime::current()->shard(i);
            EXPECT_EQ(shard.process_count(), i == 0 ? 1U : 0U);
            EXPECT_EQ(shard.waits().size(), 0U);
            EXPECT_EQ(shard.timers().size(), 0U);
        }
        co_return {};
    });
}

void strike_everywhere(bool throws) {
    Run whole;
    run_program(whole, 1);
    ASSERT_GT(whole.points, 75);
    ASSERT_GT(whole.made, 40);
    for (int at = 0; at < whole.points; ++at) {
        SCOPED_TRACE("struck at suspension point " + std::to_string(at));
        Run struck{.strike_at = at, .throws = throws};
        run_program(struck, 1);
        ASSERT_FALSE(testing::Test::HasFailure());
        // Run again until it takes nothing more: pools, tables and the log's queue fill up once and
        // stay, a leak would come back every time.
        bool balanced = false;
        for (int tries = 0; tries < 5 && !balanced; ++tries) {
            flush_log();
            std::size_t before = mallinfo2().uordblks;
            Run again{.strike_at = at, .throws = throws};
            run_program(again, 1);
            flush_log();
            balanced = mallinfo2().uordblks <= before;
            EXPECT_EQ(again.points, struck.points);
        }
        EXPECT_TRUE(balanced);
    }
}

TEST(Cancellation, a_kill_at_any_suspension_point_leaves_nothing_behind) {
    strike_everywhere(false);
}

TEST(Cancellation, a_fault_at_any_suspension_point_leaves_nothing_behind) {
    strike_everywhere(true);
}

}  // namespace bennu::cancellation_test
