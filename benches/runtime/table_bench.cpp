// Tables from every shard at once: reads, writes, counters. Prints `name value` lines: operations a
// second over all shards, and what one costs its shard. Usage: bench_tables [NAME] [COUNT]; without
// a name all of them.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <numeric>
#include <string_view>
#include <vector>

#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/table/counter.hpp"
#include "bennu/runtime/table/ordered_table.hpp"
#include "bennu/runtime/table/table.hpp"

namespace {

using namespace bennu;
using Numbers = Table<std::uint64_t, std::uint64_t>;
using Texts = Table<std::string, std::string>;

std::atomic<unsigned> ready{0};
std::atomic<std::uint64_t> sink{0};
volatile std::uint64_t sunk;

Instant clock_now() {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
}

double cpu_ns() {
    timespec spent{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) * 1e9 + static_cast<double>(spent.tv_nsec);
}

struct Speed {
    double per_second = 0;  ///< of all shards, from the first start to the last end
    double cpu_ns = 0;      ///< that one operation costs its shard; what others take counts not
};

/// What one shard does: `count` operations, with a generator of its own.
using Work = std::function<void(std::uint64_t count, std::uint64_t seed)>;

Task<Speed> measure(Work work, std::uint64_t each) {
    unsigned shards = shard_count();
    ready = 0;
    std::vector<Instant> begun(shards), ended(shards);
    std::vector<double> spent(shards);
    std::vector<Pid> pids;
    for (unsigned shard = 0; shard < shards; ++shard) {
        auto pid = co_await spawn_on(static_cast<std::uint8_t>(shard), [&, shard, shards] {
            return spawn_task([&, shard, shards]() -> Task<> {
                // Not before the main process has given its own shard away.
                co_await bennu::sleep(std::chrono::milliseconds(2));
                ++ready;
                while (ready < shards) __builtin_ia32_pause();
                begun[shard] = clock_now();
                double before = cpu_ns();
                work(each, shard + 1);
                spent[shard] = cpu_ns() - before;
                ended[shard] = clock_now();
            });
        });
        pids.push_back(*pid);
    }
    for (Pid pid : pids) static_cast<void>(co_await exit_of(pid));
    Duration took = *std::max_element(ended.begin(), ended.end()) -
                    *std::min_element(begun.begin(), begun.end());
    double operations = static_cast<double>(each * shards);
    co_return Speed{operations * 1e9 / static_cast<double>(took.count()),
                    std::accumulate(spent.begin(), spent.end(), 0.0) / operations};
}

/// A cheap generator, so that the table is measured and not the dice.
struct Dice {
    std::uint64_t state;
    explicit Dice(std::uint64_t seed) : state(seed * 0x9E3779B97F4A7C15ULL) {}
    std::uint64_t below(std::uint64_t n) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(state) * n) >> 64);
    }
};

Work reads(Numbers table, std::uint64_t keys) {
    return [table, keys](std::uint64_t count, std::uint64_t seed) {
        Dice dice(seed);
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count; ++i) sum += *table.get(dice.below(keys));
        sink += sum;
    };
}

Work writes(Numbers table, std::uint64_t keys) {
    return [table, keys](std::uint64_t count, std::uint64_t seed) mutable {
        Dice dice(seed);
        for (std::uint64_t i = 0; i < count; ++i) table.put(dice.below(keys), i);
    };
}

Work additions(Numbers table, std::uint64_t keys) {
    return [table, keys](std::uint64_t count, std::uint64_t seed) mutable {
        Dice dice(seed);
        for (std::uint64_t i = 0; i < count; ++i) table.update_counter(dice.below(keys), 1);
    };
}

Work churn(Numbers table, std::uint64_t keys) {
    return [table, keys](std::uint64_t count, std::uint64_t seed) mutable {
        Dice dice(seed);
        for (std::uint64_t i = 0; i < count; ++i) {
            std::uint64_t key = dice.below(keys);
            if (i & 1) {
                table.erase(key);
            } else {
                table.insert_new(key, i);
            }
        }
    };
}

Work text_reads(Texts table, const std::vector<std::string>& keys) {
    return [table, &keys](std::uint64_t count, std::uint64_t seed) {
        Dice dice(seed);
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count; ++i)
            table.read(keys[dice.below(keys.size())],
                       [&](const std::string& s) { sum += s.size(); });
        sink += sum;
    };
}

Work text_writes(Texts table, const std::vector<std::string>& keys) {
    return [table, &keys](std::uint64_t count, std::uint64_t seed) mutable {
        Dice dice(seed);
        for (std::uint64_t i = 0; i < count; ++i)
            table.put(keys[dice.below(keys.size())], "a value that is longer than a small string");
    };
}

Work ordered_reads(OrderedTable<std::uint64_t, std::uint64_t> table, std::uint64_t keys) {
    return [table, keys](std::uint64_t count, std::uint64_t seed) {
        Dice dice(seed);
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count; ++i) sum += *table.get(dice.below(keys));
        sink += sum;
    };
}

Work ordered_writes(OrderedTable<std::uint64_t, std::uint64_t> table, std::uint64_t keys) {
    return [table, keys](std::uint64_t count, std::uint64_t seed) mutable {
        Dice dice(seed);
        for (std::uint64_t i = 0; i < count; ++i) table.put(dice.below(keys), i);
    };
}

struct Row {
    std::string_view name;
    Work work;
    unsigned weight = 4;  ///< how many times the count: slow ones do fewer operations
};

Task<Result<>> measure_some(std::string_view only, std::uint64_t count) {
    constexpr std::uint64_t small = 1000, large = 1'000'000;
    Numbers thousand, million, one, thousand_counters, churned;
    OrderedTable<std::uint64_t, std::uint64_t> sorted;
    for (std::uint64_t i = 0; i < small; ++i) thousand.put(i, i), sorted.put(i, i);
    for (std::uint64_t i = 0; i < large; ++i) million.put(i, i);
    Texts texts;
    std::vector<std::string> names;
    for (std::uint64_t i = 0; i < small; ++i) {
        names.push_back("session:" + std::to_string(i * 7919));
        texts.put(names.back(), "a value that is longer than a small string");
    }
    auto cells = std::make_shared<Counter>();
    Work cell = [cells](std::uint64_t count, std::uint64_t) {
        for (std::uint64_t i = 0; i < count; ++i) {
            cells->add();
            std::atomic_signal_fence(std::memory_order_seq_cst);
        }
    };
    std::vector<Row> rows{{"table_read_1k", reads(thousand, small), 8},
                          {"table_read_1m", reads(million, large)},
                          {"table_write", writes(thousand, small)},
                          {"table_write_1m", writes(million, large), 2},
                          {"table_counter", additions(one, 1)},
                          {"table_counter_1k", additions(thousand_counters, small)},
                          {"table_counter_cells", cell, 16},
                          {"table_insert_erase", churn(churned, small), 1},
                          {"table_text_read_1k", text_reads(texts, names), 2},
                          {"table_text_write_1k", text_writes(texts, names), 1},
                          {"table_ordered_read_1k", ordered_reads(sorted, small), 1},
                          {"table_ordered_write_1k", ordered_writes(sorted, small), 1}};
    bool known = only.empty();
    for (Row& row : rows) {
        if (!only.empty() && row.name != only) continue;
        known = true;
        Speed speed = co_await measure(row.work, count * row.weight / 8 + 1);
        std::printf("%s %.6g\ncpu_ns %.3g\n", row.name.data(), speed.per_second, speed.cpu_ns);
    }
    std::fflush(stdout);
    co_return known ? Result<>() : Error(ErrorKind::not_found, "no_such_figure");
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view only = argc > 1 ? argv[1] : "";
    std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 16'000'000;
    set_log_level(LogLevel::off);  // filling a table of a million keys in one go is a stall
    int status = run({.shards = 2, .handle_signals = false}, [only, count]() -> Task<Result<>> {
        co_return co_await measure_some(only, count);
    });
    sunk = sink;
    return status;
}
