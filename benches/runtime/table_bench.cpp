// Tables from every shard at once: reads, writes, counters. Prints one JSON object a line, in
// millions of operations a second over all shards, the median of the rounds.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <numeric>
#include <string_view>
#include <vector>

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
    double millions =
        0;              ///< operations a second of all shards, from the first start to the last end
    double cpu_ns = 0;  ///< that one operation costs its shard; what others take counts not
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
    co_return Speed{operations * 1e3 / static_cast<double>(took.count()),
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
    const char* id;
    Work work;
    std::uint64_t each;
    double ets;  ///< millions a second that ETS reached on two schedulers; 0: not compared
    double times;
    std::vector<Speed> rounds;
};

Task<Result<>> measure_all(std::uint64_t scale, int rounds, std::string_view only) {
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
    std::vector<Row> rows{
        {"runtime.table_read_1k", reads(thousand, small), scale * 8, 21.0, 5},
        {"runtime.table_read_1m", reads(million, large), scale * 4, 5.1, 5},
        {"runtime.table_write", writes(thousand, small), scale * 4, 4.2, 5},
        {"runtime.table_write_1m", writes(million, large), scale * 2, 0, 0},
        {"runtime.table_counter", additions(one, 1), scale * 4, 14.5, 4},
        {"runtime.table_counter_1k", additions(thousand_counters, small), scale * 4, 0, 0},
        {"runtime.table_counter_cells", cell, scale * 16, 0, 0},
        {"runtime.table_insert_erase", churn(churned, small), scale, 0, 0},
        {"runtime.table_text_read_1k", text_reads(texts, names), scale * 2, 0, 0},
        {"runtime.table_text_write_1k", text_writes(texts, names), scale, 0, 0},
        {"runtime.table_ordered_read_1k", ordered_reads(sorted, small), scale, 0, 0},
        {"runtime.table_ordered_write_1k", ordered_writes(sorted, small), scale / 2, 0, 0}};
    if (!only.empty()) std::erase_if(rows, [only](const Row& row) { return only != row.id; });
    for (int round = 0; round < rounds; ++round) {
        for (Row& row : rows) row.rounds.push_back(co_await measure(row.work, row.each));
    }
    for (Row& row : rows) {
        std::ranges::sort(row.rounds, {}, &Speed::millions);
        Speed ours = row.rounds[row.rounds.size() / 2];
        std::printf("{\"id\": \"%s\", \"unit\": \"M/s\", \"ours\": %.1f, \"cpu_ns\": %.1f", row.id,
                    ours.millions, ours.cpu_ns);
        if (row.ets > 0)
            std::printf(", \"goal\": %.1f, \"met\": %s", row.ets * row.times,
                        ours.millions >= row.ets * row.times ? "true" : "false");
        std::printf(", \"low\": %.1f, \"high\": %.1f}\n", row.rounds.front().millions,
                    row.rounds.back().millions);
    }
    std::fflush(stdout);
    co_return {};
}

}  // namespace

int main(int argc, char** argv) {
    bool smoke = false;
    std::string_view only;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) == "--smoke") {
            smoke = true;
        } else {
            only = argv[i];  // a row's id
        }
    }
    int status = run({.shards = 2, .handle_signals = false}, [smoke, only]() -> Task<Result<>> {
        co_return co_await measure_all(smoke ? 20'000 : 2'000'000, smoke ? 1 : 5, only);
    });
    sunk = sink;
    return status;
}
