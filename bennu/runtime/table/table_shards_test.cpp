// What several threads may do to one table at once; run under the thread sanitizer too.
#include <gtest/gtest.h>

#include <barrier>
#include <thread>

#include "bennu/base/random.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/table/counter.hpp"
#include "bennu/runtime/table/ordered_table.hpp"
#include "bennu/runtime/table/table.hpp"

namespace bennu::table_shards_test {

using namespace std::chrono_literals;

/// Runs `work(shard)` as a process on each of the shards of a real runtime.
void on_every_shard(unsigned shards, std::function<void(unsigned)> work) {
    run({.shards = shards, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::vector<Pid> pids;
        for (unsigned shard = 0; shard < shards; ++shard) {
            auto pid = co_await spawn_on(static_cast<std::uint8_t>(shard), [&work, shard] {
                return spawn_task([&work, shard]() -> Task<> {
                    co_await sleep(1ms);
                    work(shard);
                });
            });
            pids.push_back(*pid);
        }
        for (Pid pid : pids) EXPECT_TRUE(co_await exit_of(pid));
        co_return {};
    });
}

/// Eight words that must always be equal: a torn read shows.
struct Wide {
    std::array<std::uint64_t, 8> words;
    bool whole() const {
        for (std::uint64_t word : words)
            if (word != words[0]) return false;
        return true;
    }
    static Wide of(std::uint64_t n) {
        Wide wide;
        wide.words.fill(n);
        return wide;
    }
};

TEST(TableMultiShard, readers_never_see_half_a_value) {
    Table<int, Wide> inline_table;
    Table<int, std::string> records;
    OrderedTable<int, std::string> ordered;
    std::atomic<int> torn{0};
    on_every_shard(3, [&](unsigned shard) {
        Random random(shard);
        for (int i = 0; i < 6000; ++i) {
            int key = static_cast<int>(random.below(20));
            std::uint64_t n = random.below(100);
            std::string text(10 + n, static_cast<char>('a' + n % 26));
            switch (random.below(6)) {
                case 0:
                    inline_table.put(key, Wide::of(n));
                    records.put(key, text);
                    ordered.put(key, text);
                    break;
                case 1:
                    inline_table.erase(key);
                    records.erase(key);
                    ordered.erase(key);
                    break;
                default:
                    if (auto wide = inline_table.get(key); wide && !wide->whole()) ++torn;
                    auto whole = [&](const std::string& s) {
                        if (s != std::string(s.size(), s[0])) ++torn;
                    };
                    records.read(key, whole);
                    ordered.read(key, whole);
            }
        }
    });
    EXPECT_EQ(torn, 0);
}

TEST(TableMultiShard, no_update_is_lost_while_the_table_grows) {
    constexpr int rounds = 4000;
    Table<int, std::uint64_t> table;
    Table<int, std::string> texts;
    OrderedTable<int, std::uint64_t> ordered;
    Counter counter;
    std::atomic<std::uint64_t> inserted{0}, taken{0};
    on_every_shard(3, [&](unsigned shard) {
        for (int i = 0; i < rounds; ++i) {
            table.update_counter(-1 - i % 3, 1);
            ordered.update_counter(-1 - i % 3, 1);
            texts.compute(i % 7, [](std::optional<std::string>& text) {
                text = std::to_string(std::stoi(text.value_or("0")) + 1);
            });
            if (table.insert_new(i, 1)) ++inserted;
            if (i >= 100 && i % 5 == static_cast<int>(shard))
                taken += table.take(i - 100).has_value();
            counter.add();
        }
    });
    std::uint64_t sum = 0, ordered_sum = 0;
    int text_sum = 0;
    for (int i = 1; i <= 3; ++i) sum += *table.get(-i), ordered_sum += *ordered.get(-i);
    for (int i = 0; i < 7; ++i) text_sum += std::stoi(*texts.get(i));
    EXPECT_EQ(sum, 3U * rounds);
    EXPECT_EQ(ordered_sum, 3U * rounds);
    EXPECT_EQ(text_sum, 3 * rounds);
    EXPECT_EQ(counter.value(), 3 * rounds);
    EXPECT_GE(inserted, static_cast<std::uint64_t>(rounds));
    EXPECT_EQ(table.size(), 3 + inserted - taken);
}

TEST(TableMultiShard, a_key_that_stays_is_always_found) {
    Table<int, int> table;
    OrderedTable<int, int> ordered;
    for (int i = 0; i < 64; ++i) table.put(i, i), ordered.put(i, i);
    std::atomic<int> missed{0};
    on_every_shard(3, [&](unsigned shard) {
        Random random(shard);
        for (int i = 0; i < 8000; ++i) {
            if (shard == 0) {
                // Grows, shrinks and reorders everything around the keys that stay.
                int key = 1000 + static_cast<int>(random.below(3000));
                if (random.below(3) == 0) {
                    table.erase(key), ordered.erase(key);
                } else {
                    table.put(key, key), ordered.put(key, key);
                }
            } else {
                int key = static_cast<int>(random.below(64));
                if (table.get(key) != key || ordered.get(key) != key) ++missed;
                if (i % 500 == 0 && ordered.range(0, 64).size() != 64) ++missed;
                if (i % 500 == 0 && table.count_if([](int k, int) { return k < 64; }) != 64)
                    ++missed;
            }
        }
    });
    EXPECT_EQ(missed, 0);
}

TEST(TableMultiShard, bounds_and_indexes_hold) {
    Table<int, int> table({.max_entries = 200, .eviction = Eviction::least_recently_used});
    Table<int, std::string> rejecting({.max_entries = 50});
    auto by_value = table.add_index([](const int& value) { return value; });
    std::atomic<int> wrong{0};
    on_every_shard(3, [&](unsigned shard) {
        Random random(shard);
        for (int i = 0; i < 3000; ++i) {
            int key = static_cast<int>(random.below(1000));
            table.put(key, static_cast<int>(random.below(10)));
            if (table.size() > 203) ++wrong;
            rejecting.put(key, "x");
            if (rejecting.size() > 50) ++wrong;
            if (i % 3 == 0) rejecting.erase(key);
            if (i % 50 == 0) {
                for (auto& [k, v] : by_value.find(3)) wrong += v == 3 ? 0 : 1;
            }
        }
    });
    EXPECT_EQ(wrong, 0);
    EXPECT_LE(table.size(), 200U);
    std::size_t indexed = 0;
    for (int value = 0; value < 10; ++value) indexed += by_value.count(value);
    EXPECT_EQ(indexed, table.size());
}

TEST(TableMultiShard, clearing_and_closing_meet_writers) {
    Table<int, std::string> table;
    std::atomic<bool> closed{false};
    on_every_shard(3, [&](unsigned shard) {
        for (int i = 0; i < 3000; ++i) {
            if (shard == 0 && i % 100 == 0) table.clear();
            if (shard == 0 && i == 2900) closed = true, table.close();
            if (shard != 0 && closed) return;
            try {
                table.put(i % 50, std::string(40, 'x'));
                table.update(i % 50, [](std::string& s) { s[0] = 'y'; });
            } catch (const TableClosed&) {
                return;
            }
        }
    });
    EXPECT_EQ(table.size(), 0U);
}

TEST(TableMultiShard, threads_beside_the_shards_take_part) {
    Table<int, std::string> table;
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::thread outside([&] {
        while (!stop) {
            table.read(1, [&](const std::string& s) { wrong += s.size() == 30 ? 0 : 1; });
            table.put(2, std::string(30, 'o'));
        }
    });
    on_every_shard(2, [&](unsigned) {
        for (int i = 0; i < 5000; ++i) table.put(1 + i % 2, std::string(30, 's'));
    });
    stop = true;
    outside.join();
    EXPECT_EQ(wrong, 0);
}

TEST(TableMultiShard, a_reader_that_looks_long_keeps_what_it_sees) {
    Table<int, std::string> table;
    table.put(1, std::string(100, 'a'));
    std::barrier step(2);
    std::thread reader([&] {
        table.read(1, [&](const std::string& text) {
            step.arrive_and_wait();
            step.arrive_and_wait();
            EXPECT_EQ(text, std::string(100, 'a'));
        });
    });
    step.arrive_and_wait();
    for (int i = 0; i < 500; ++i) table.put(1, std::string(100, 'b'));
    EXPECT_GE(detail::retired_count(), 500U);
    step.arrive_and_wait();
    reader.join();
    detail::reclaim_all();
    EXPECT_EQ(detail::retired_count(), 0U);
}

}  // namespace bennu::table_shards_test
