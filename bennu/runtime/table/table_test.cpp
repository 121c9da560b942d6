#include "bennu/runtime/table/table.hpp"

#include <gtest/gtest.h>

#include <map>

#include "bennu/base/random.hpp"
#include "bennu/runtime/table/counter.hpp"
#include "bennu/runtime/table/ordered_table.hpp"

namespace bennu::table_test {

using namespace std::chrono_literals;

struct Point {
    std::int32_t x = 0;
    std::uint8_t y = 0;  // padding behind it
    bool operator==(const Point&) const = default;
};

TEST(Table, puts_gets_and_takes) {
    Table<std::string, std::string> table;
    EXPECT_EQ(table.put("a", "1"), Stored::inserted);
    EXPECT_EQ(table.put("a", "2"), Stored::replaced);
    EXPECT_FALSE(table.insert_new("a", "3"));
    EXPECT_TRUE(table.insert_new("b", "4"));
    EXPECT_EQ(table.get("a"), "2");
    std::string_view part = "ab";
    EXPECT_EQ(table.get(part.substr(1)), "4");
    EXPECT_TRUE(table.update("a", [](std::string& value) { value += "!"; }));
    EXPECT_FALSE(table.update("a", [](std::string&) { return false; }));
    EXPECT_FALSE(table.update("none", [](std::string&) {}));
    EXPECT_EQ(table.take("a"), "2!");
    EXPECT_EQ(table.take("a"), std::nullopt);
    EXPECT_FALSE(table.erase("a"));
    EXPECT_EQ(table.size(), 1U);
    table.clear();
    EXPECT_EQ(table.size(), 0U);
    EXPECT_FALSE(table.contains("b"));
    EXPECT_EQ(table.put("b", "5"), Stored::inserted);
}

TEST(Table, a_throwing_callback_leaves_the_entry_and_no_lock) {
    Table<int, int> table;
    table.put(1, 10);
    EXPECT_THROW(table.update(1, [](int& v) { v = 0, throw std::runtime_error("x"); }),
                 std::runtime_error);
    EXPECT_THROW(table.compute(2, [](auto&) { throw std::runtime_error("x"); }),
                 std::runtime_error);
    EXPECT_EQ(table.get(1), 10);
    EXPECT_EQ(table.put(1, 11), Stored::replaced);
    EXPECT_EQ(table.put(2, 12), Stored::inserted);
}

TEST(Table, counters_start_at_the_initial_value_and_wrap) {
    Table<std::string, std::uint64_t> table;
    EXPECT_EQ(table.update_counter("a", 1), 1U);
    EXPECT_EQ(table.update_counter("a", 2), 3U);
    EXPECT_EQ(table.update_counter("b", 1, 100), 101U);
    EXPECT_EQ(table.update_counter("b", std::uint64_t(-2)), 99U);
    OrderedTable<int, std::int8_t> ordered;
    EXPECT_EQ(ordered.update_counter(1, 127), 127);
    EXPECT_EQ(ordered.update_counter(1, 1), -128);
}

TEST(Table, rejects_when_it_is_full) {
    Table<int, int> table({.max_entries = 3});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(table.put(i, i), Stored::inserted);
    EXPECT_EQ(table.put(3, 3), Stored::full);
    EXPECT_EQ(table.put(2, 5), Stored::replaced);
    EXPECT_FALSE(table.insert_new(4, 4));
    EXPECT_EQ(table.update_counter(9, 1, 7), 7);
    table.erase(0);
    EXPECT_EQ(table.put(3, 3), Stored::inserted);
    table.clear();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(table.put(i, i), Stored::inserted);
}

TEST(Table, evicts_what_was_not_read_lately) {
    Table<int, int> table({.max_entries = 1000, .eviction = Eviction::least_recently_used});
    for (int i = 0; i < 1000; ++i) table.put(i, i);
    EXPECT_EQ(table.size(), 1000U);
    // The hot hundred are read again and again while two thousand others pass through.
    for (int i = 1000; i < 3000; ++i) {
        table.put(i, i);
        for (int hot = 0; hot < 100; ++hot) static_cast<void>(table.get(hot));
    }
    EXPECT_EQ(table.size(), 1000U);
    int kept = 0;
    for (int hot = 0; hot < 100; ++hot) kept += table.contains(hot);
    EXPECT_GE(kept, 90);
}

TEST(Table, ordered_tables_evict_by_key) {
    OrderedTable<int, int> top({.max_entries = 3, .eviction = Eviction::lowest_key});
    for (int i : {5, 1, 4, 9, 2, 7}) top.put(i, i);
    std::vector<int> keys;
    top.for_each([&](int key, int) { keys.push_back(key); });
    EXPECT_EQ(keys, (std::vector{5, 7, 9}));
    EXPECT_EQ(top.put(1, 1), Stored::full);
    OrderedTable<int, int> bottom({.max_entries = 2, .eviction = Eviction::highest_key});
    for (int i : {5, 1, 4, 9}) bottom.put(i, i);
    EXPECT_EQ(bottom.last()->first, 4);
    EXPECT_THROW((OrderedTable<int, int>({.eviction = Eviction::least_recently_used})),
                 std::logic_error);
    EXPECT_THROW((Table<int, int>({.eviction = Eviction::lowest_key})), std::logic_error);
}

TEST(Table, finds_by_name_and_type) {
    auto table = *Table<int, int>::make({.name = "named"});
    table.put(1, 2);
    EXPECT_EQ((Table<int, int>::make({.name = "named"}).error().kind()), ErrorKind::conflict);
    EXPECT_EQ((Table<int, int>::open("named")->get(1)), 2);
    EXPECT_EQ((Table<int, long>::open("named").error().code()), "other_type");
    EXPECT_EQ((Table<int, int>::open("other").error().kind()), ErrorKind::not_found);
    table.close();
    EXPECT_TRUE(table.closed());
    EXPECT_EQ(table.get(1), std::nullopt);
    EXPECT_THROW(table.put(1, 2), TableClosed);
    EXPECT_EQ((Table<int, int>::open("named").error().kind()), ErrorKind::not_found);
    EXPECT_TRUE((Table<int, int>::make({.name = "named"})->closed() == false));
    Table<int, int>::open("named")->close();
}

TEST(Table, finds_by_a_secondary_index) {
    Table<int, std::string> table;
    auto by_length = table.add_index([](const std::string& text) { return text.size(); });
    table.put(1, "a");
    table.put(2, "bb");
    table.put(3, "cc");
    EXPECT_EQ(by_length.count(2), 2U);
    table.update(3, [](std::string& text) { text += "c"; });
    EXPECT_EQ(by_length.find(2), (std::vector<std::pair<int, std::string>>{{2, "bb"}}));
    EXPECT_EQ(by_length.range(2, 3).size(), 2U);
    EXPECT_EQ(by_length.range(1, 3, 2).size(), 2U);
    table.erase(2);
    EXPECT_EQ(by_length.count(2), 0U);
    table.clear();
    EXPECT_EQ(by_length.range(0, 100).size(), 0U);
    table.put(1, "a");
    EXPECT_THROW(table.add_index([](const std::string&) { return 1; }), std::logic_error);
}

TEST(Table, walks_ordered_tables_by_ranges_and_pages) {
    OrderedTable<int, int> table;
    for (int i = 99; i >= 0; --i) table.put(i * 2, i);
    EXPECT_EQ(table.first()->first, 0);
    EXPECT_EQ(table.last()->first, 198);
    EXPECT_EQ(table.at_or_after(7)->first, 8);
    EXPECT_EQ(table.at_or_after(8)->first, 8);
    EXPECT_EQ(table.after(8)->first, 10);
    EXPECT_EQ(table.before(8)->first, 6);
    EXPECT_EQ(table.before(0), std::nullopt);
    EXPECT_EQ(table.after(198), std::nullopt);
    EXPECT_EQ(table.range(10, 20).size(), 5U);
    EXPECT_EQ(table.range(10, 20, 2).back().first, 12);
    EXPECT_EQ(table.select([](int, int v) { return v % 10 == 0; }, 3).back().first, 40);
    std::vector<int> seen;
    std::optional<int> at;
    int pages = 0;
    do {
        auto page = table.page(at, 30);
        for (auto& [key, value] : page.entries) seen.push_back(key);
        at = page.next;
        table.erase(0);  // behind the walk: does not disturb it
        ++pages;
    } while (at);
    EXPECT_EQ(pages, 4);
    EXPECT_EQ(seen.size(), 100U);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

/// A model check: random operations on a small set of keys, compared with std::map after each.
template <typename Tested, typename MakeKey, typename MakeValue>
void check_against_map(Tested table, std::uint64_t seed, MakeKey make_key, MakeValue make_value) {
    using Key = typename Tested::Entry::first_type;
    using Value = typename Tested::Entry::second_type;
    std::map<Key, Value> model;
    auto index = table.add_index([](const Value& value) { return value; });
    Random random(seed);
    std::uint64_t keys = 1 + random.below(300);
    for (int step = 0; step < 3000; ++step) {
        Key key = make_key(random.below(keys));
        Value value = make_value(random.below(20));
        auto found = model.find(key);
        bool there = found != model.end();
        switch (random.below(9)) {
            case 0:
            case 1:
                EXPECT_EQ(table.put(key, value), there ? Stored::replaced : Stored::inserted);
                model[key] = value;
                break;
            case 2:
                EXPECT_EQ(table.insert_new(key, value), !there);
                model.try_emplace(key, value);
                break;
            case 3:
                EXPECT_EQ(table.update(key, [&](Value& v) { v = value; }), there);
                if (there) found->second = value;
                break;
            case 4:
                EXPECT_EQ(table.take(key), there ? std::optional(found->second) : std::nullopt);
                model.erase(key);
                break;
            case 5:
                table.compute(key, [&](std::optional<Value>& v) {
                    EXPECT_EQ(v, there ? std::optional(found->second) : std::nullopt);
                    if (v) {
                        v.reset();
                    } else {
                        v = value;
                    }
                });
                if (!model.erase(key)) model[key] = value;
                break;
            case 6:
                EXPECT_EQ(table.get(key), there ? std::optional(found->second) : std::nullopt);
                break;
            case 7:
                if (random.below(50) == 0) {
                    EXPECT_EQ(
                        table.erase_if([&](const Key&, const Value& v) { return v == value; }),
                        std::erase_if(model, [&](auto& e) { return e.second == value; }));
                } else if (random.below(100) == 0) {
                    table.clear();
                    model.clear();
                }
                break;
            case 8: {
                std::vector<std::pair<Key, Value>> expected;
                for (auto& entry : model)
                    if (entry.second == value) expected.emplace_back(entry);
                EXPECT_EQ(index.find(value), expected);
                break;
            }
        }
        ASSERT_EQ(table.size(), model.size());
    }
    std::map<Key, Value> all;
    table.for_each([&](const Key& k, const Value& v) { EXPECT_TRUE(all.emplace(k, v).second); });
    EXPECT_EQ(all, model);
}

TEST(Table, does_what_a_map_does) {
    auto number = [](std::uint64_t n) { return n * 0x9E3779B97F4A7C15ULL; };
    auto text = [](std::uint64_t n) { return std::string(n % 40, 'x') + std::to_string(n); };
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE(seed);
        check_against_map(Table<std::uint64_t, std::uint64_t>(), seed, number, number);
        check_against_map(Table<std::string, std::string>(), seed, text, text);
        check_against_map(Table<std::uint64_t, std::string>(), seed, number, text);
        check_against_map(OrderedTable<std::uint64_t, std::uint64_t>(), seed, number, number);
        check_against_map(OrderedTable<std::string, std::string>(), seed, text, text);
    }
}

TEST(Table, keeps_values_with_padding_and_of_every_small_size) {
    Table<std::uint8_t, Point> points;
    Table<int, std::array<char, 61>> chars;
    for (int i = 0; i < 200; ++i) {
        points.put(static_cast<std::uint8_t>(i), {i, static_cast<std::uint8_t>(i)});
        std::array<char, 61> filled;
        filled.fill(static_cast<char>(i));
        chars.put(i, filled);
    }
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(points.get(static_cast<std::uint8_t>(i)),
                  (Point{i, static_cast<std::uint8_t>(i)}));
        EXPECT_EQ(chars.get(i)->back(), static_cast<char>(i));
    }
}

TEST(Table, frees_every_value_that_it_replaced) {
    static int alive = 0;
    struct Counted {
        Counted() { ++alive; }
        Counted(const Counted&) { ++alive; }
        Counted& operator=(const Counted&) = default;
        ~Counted() { --alive; }
    };
    {
        Table<int, Counted> table;
        OrderedTable<int, Counted> ordered;
        for (int i = 0; i < 20'000; ++i) {
            table.put(i % 100, {});
            ordered.put(i % 100, {});
            if (i % 3 == 0) table.erase(i % 100);
            if (i % 3 == 0) ordered.erase(i % 100);
            ASSERT_LT(alive, 1000);  // what waits to be freed is bounded
        }
    }
    detail::reclaim_all();
    EXPECT_EQ(alive, 0);
}

TEST(Counter, adds_up_without_a_runtime) {
    Counter counter;
    counter.add();
    counter.add(41);
    counter.add(-2);
    EXPECT_EQ(counter.value(), 40);
}

}  // namespace bennu::table_test
