#include "bennu/runtime/stream.hpp"

#include "bennu/runtime/async_stream.hpp"
#include "bennu/runtime/pipe.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::stream_test {

using namespace std::chrono_literals;

Stream<int> numbers(int count, Duration between = {}) {
    for (int i = 0; i < count; ++i) {
        if (between > Duration::zero()) co_await sleep(between);
        co_yield i;
    }
}
template <typename T>
Task<std::optional<T>> next(Stream<T>& stream) {
    co_return co_await stream.next();
}

BENNU_SIM_TEST(Stream, yields_each_item_when_asked_and_then_nothing, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0, made = 0;
        {
            auto stream = [](int& count, int& at) -> Stream<int> {
                CountsAlive mark(count);
                for (;; ++at) co_yield at;
            }(alive, made);
            EXPECT_EQ(alive, 0);
            for (int i = 0; i < 5; ++i) EXPECT_EQ(co_await stream.next(), i);
            EXPECT_EQ(made, 4);
            EXPECT_EQ(alive, 1);
        }
        EXPECT_EQ(alive, 0);
        int sum = 0;
        auto slow = numbers(10, 1ms);
        while (auto item = co_await slow.next()) sum += *item;
        EXPECT_EQ(sum, 45);
        EXPECT_FALSE(co_await slow.next());
        EXPECT_EQ((co_await collect(stream_of(std::vector<int>{1, 2, 3})))->size(), 3U);
        co_return {};
    });
}

BENNU_SIM_TEST(Stream, a_reader_that_gives_up_loses_no_item, options) {
    finishes(options, []() -> Task<Result<>> {
        auto stream = numbers(3, 10ms);
        int timeouts = 0;
        for (int expected = 0; expected < 3;) {
            auto item = co_await within(next(stream), 3ms);
            if (!item) {
                ++timeouts;
            } else {
                EXPECT_EQ(*item, expected++);
            }
        }
        EXPECT_GE(timeouts, 3);
        EXPECT_FALSE(co_await stream.next());
        co_return {};
    });
}

BENNU_SIM_TEST(Stream, a_fault_is_the_readers_and_an_error_ends_it, options) {
    finishes(options, []() -> Task<Result<>> {
        auto faulty = []() -> Stream<int> {
            co_yield 1;
            co_await sleep(5ms);
            throw std::runtime_error("in the stream");
        };
        auto first = faulty();
        EXPECT_EQ(co_await first.next(), 1);
        auto outcome = co_await contain(next(first));
        EXPECT_EQ(outcome.fault->describe(), "std::runtime_error: in the stream");
        EXPECT_FALSE(co_await first.next());
        // With nobody waiting, the fault is kept for the next reader.
        auto second = faulty();
        EXPECT_EQ(co_await second.next(), 1);
        EXPECT_FALSE(co_await within(next(second), 1ms));
        co_await sleep(10ms);
        EXPECT_FALSE(co_await contain(next(second)));
        EXPECT_FALSE(co_await second.next());
        auto failing = []() -> Stream<int> {
            co_yield 1;
            co_yield end_with(Error(ErrorKind::io, "disk"));
        }();
        EXPECT_EQ((co_await collect(std::move(failing))).error().code(), "disk");
        co_return {};
    });
}

BENNU_SIM_TEST(AsyncStream, keeps_order_bounds_concurrency_and_is_lazy, options) {
    finishes(options, []() -> Task<Result<>> {
        int read = 0, running = 0, most = 0;
        auto input = [](int& count) -> Stream<int> {
            for (int i = 0;; ++i) {
                ++count;
                co_yield i;
            }
        };
        auto work = [&](int item) -> Task<int> {
            CountsAlive mark(running);
            most = std::max(most, running);
            co_await sleep(Duration(random().below(20'000'000)));
            co_return item * 2;
        };
        {
            auto stream = async_stream(input(read), work, {.concurrency = 4});
            for (int i = 0; i < 30; ++i) {
                auto item = co_await stream.next();
                EXPECT_EQ(item->value(), i * 2);
                EXPECT_LE(read, i + 1 + 4 + 1);
            }
            EXPECT_EQ(most, 4);
            co_await sleep(1s);
        }
        EXPECT_EQ(running, 0);
        std::vector<bool> seen(50);
        std::vector<int> range(50);
        for (int i = 0; i < 50; ++i) range[static_cast<std::size_t>(i)] = i;
        auto any = async_stream(range, work, {.concurrency = 5, .ordered = false});
        while (auto item = co_await any.next())
            seen[static_cast<std::size_t>(item->value() / 2)] = true;
        EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 50);
        co_return {};
    });
}

BENNU_SIM_TEST(AsyncStream, contains_what_fails_or_is_late, options) {
    finishes(options, []() -> Task<Result<>> {
        int alive = 0;
        auto work = [&alive](int item) -> Task<Result<int>> {
            CountsAlive mark(alive);
            if (item == 1) throw std::runtime_error("one");
            if (item == 2) co_return Error(ErrorKind::conflict, "two");
            co_await sleep(item == 3 ? Duration(1h) : Duration(1ms));
            co_return item;
        };
        std::vector<std::string> codes;
        auto stream = async_stream(numbers(6, 1ms), work, {.timeout = 100ms});
        while (auto item = co_await stream.next())
            codes.push_back(*item ? std::to_string(**item) : std::string(item->error().code()));
        EXPECT_EQ(codes, (std::vector<std::string>{"0", "crashed", "two", "timeout", "4", "5"}));
        EXPECT_EQ(alive, 0);
        auto strict =
            async_stream(numbers(6), work, {.timeout = 100ms, .on_timeout = OnTimeout::fault});
        int outcomes = 0;
        auto end = co_await contain([](auto& from, int& count) -> Task<> {
            while (co_await from.next()) ++count;
        }(strict, outcomes));
        EXPECT_FALSE(end);
        EXPECT_EQ(outcomes, 3);
        EXPECT_EQ(alive, 0);
        auto broken = []() -> Stream<int> {
            co_yield 5;
            throw std::runtime_error("input");
        };
        auto fails = async_stream(broken(), work);
        EXPECT_EQ((co_await fails.next())->value(), 5);
        EXPECT_FALSE(co_await contain(next(fails)));
        co_return {};
    });
}

BENNU_SIM_TEST(Pipe, keeps_order_and_a_slow_reader_costs_no_more_than_its_demand, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t shard : {0, 1}) {
            int sent = 0;
            auto stream = stream_on(shard,
                                    [&sent]() -> Stream<int> {
                                        for (int i = 0; i < 300; ++i) {
                                            ++sent;
                                            co_yield i;
                                        }
                                    },
                                    {.demand = 10});
            int read = 0;
            while (auto item = co_await stream.next()) {
                EXPECT_EQ(*item, read++);
                // One more may have been made and wait for room.
                EXPECT_LE(sent, read + 10 + 1);
                if (random().chance(0.3)) co_await sleep(Duration(random().below(2'000'000)));
            }
            EXPECT_EQ(read, 300);
            EXPECT_FALSE(stream.failure());
        }
        co_return {};
    });
}

BENNU_SIM_TEST(Pipe, the_end_of_a_producer_ends_the_stream_with_its_reason, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t shard : {0, 1}) {
            auto crashes = stream_on(shard, []() -> Stream<int> {
                co_yield 1;
                co_await sleep(1ms);
                throw std::runtime_error("in the producer");
            });
            EXPECT_EQ(co_await crashes.next(), 1);
            EXPECT_FALSE(co_await crashes.next());
            EXPECT_EQ(crashes.failure()->code(), "producer_gone");
            EXPECT_NE(crashes.failure()->message().find("in the producer"), std::string::npos);
            auto fails = stream_on(
                shard, []() -> Stream<int> { co_yield end_with(Error(ErrorKind::io, "disk")); });
            EXPECT_FALSE(co_await fails.next());
            EXPECT_EQ(fails.failure()->code(), "disk");
            Pid producer;
            auto killed = stream_on(shard, [&producer]() -> Stream<int> {
                producer = self();
                co_yield 1;
                co_await sleep(1h);
            });
            EXPECT_EQ(co_await killed.next(), 1);
            kill(producer, "test");
            EXPECT_FALSE(co_await killed.next());
            EXPECT_NE(killed.failure()->message().find("killed"), std::string::npos);
        }
        auto [unused, source] = pipe<int>();
        { Sink<int> dropped = std::move(unused); }
        EXPECT_FALSE(co_await source.next());
        EXPECT_EQ(source.failure()->code(), "producer_gone");
        co_return {};
    });
}

BENNU_SIM_TEST(Pipe, the_end_of_a_consumer_cancels_the_producer, options) {
    finishes(options, []() -> Task<Result<>> {
        for (std::uint8_t shard : {0, 1}) {
            int alive = 0;
            Pid consumer = spawn_task([&alive, shard]() -> Task<> {
                auto stream = stream_on(shard, [&alive]() -> Stream<int> {
                    CountsAlive mark(alive);
                    co_yield 1;
                    co_await sleep(1h);
                });
                (void)co_await stream.next();
                EXPECT_EQ(alive, 1);
                (void)co_await stream.next();
            });
            co_await sleep(10ms);
            kill(consumer, "test");
            co_await sleep(1ms);
            EXPECT_EQ(alive, 0);
            // A producer that waits for room, and one that asks too late.
            Error why(ErrorKind::internal), late(ErrorKind::internal);
            auto ends = pipe<int>({.demand = 2});
            post(shard, [&, sink = std::move(ends.sink)]() mutable {
                spawn_task([&, sink = std::move(sink)]() mutable -> Task<> {
                    EXPECT_TRUE(co_await sink.send(1));
                    int second = 2;
                    EXPECT_TRUE(sink.try_send(second).value());
                    EXPECT_FALSE(sink.try_send(second).value());
                    why = (co_await sink.send(3)).error();
                    late = (co_await sink.send(4)).error();
                });
            });
            co_await sleep(1ms);
            ends.source = Stream<int>();
            co_await sleep(1ms);
            EXPECT_EQ(why.code(), "consumer_gone");
            EXPECT_EQ(late.code(), "consumer_gone");
        }
        co_return {};
    });
}

Stream<int> many() {
    for (int i = 0; i < 100'000; ++i) co_yield i;
}

TEST(PipeMultiShard, many_items_in_order_with_little_in_between) {
    std::int64_t sum = 0;
    int expected = 0;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        auto stream = stream_on(1, many, {.demand = 256});
        while (auto item = co_await stream.next()) {
            if (*item != expected++) co_return Error(ErrorKind::internal, "out_of_order");
            sum += *item;
        }
        for (int i = 0; i < 100; ++i) {
            auto dropped = stream_on(1, many);
            EXPECT_EQ(co_await dropped.next(), 0);
        }
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(sum, 99'999LL * 50'000);
}

}  // namespace bennu::stream_test
