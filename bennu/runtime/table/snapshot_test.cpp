#include "bennu/runtime/table/snapshot.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bennu/runtime/simulation.hpp"
#include "bennu/runtime/table/ordered_table.hpp"
#include "bennu/runtime/table/table.hpp"

namespace bennu::snapshot_test {

using namespace std::chrono_literals;

struct Device {
    std::string tag;
    std::int64_t seen = 0;
    std::vector<std::string> owners;
    bool operator==(const Device&) const = default;
};
BENNU_RECORD(Device, tag, seen, owners)

struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "bennu_table_XXXXXX";
        path = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string file(const char* name) const { return path / name; }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path),
                                                      std::filesystem::directory_iterator()));
    }
};

TEST(TableSnapshot, comes_back_as_it_was) {
    Folder folder;
    Table<std::string, Device> devices;
    OrderedTable<std::uint64_t, double> numbers;
    for (int i = 0; i < 1000; ++i) {
        devices.put(std::to_string(i), {"tag" + std::to_string(i), i, {"a", "b"}});
        numbers.put(static_cast<std::uint64_t>(i), i / 2.0);
    }
    EXPECT_EQ(*devices.save(folder.file("devices")), 1000U);
    EXPECT_EQ(*devices.save(folder.file("devices")), 1000U);  // over the old one
    EXPECT_EQ(*numbers.save(folder.file("numbers")), 1000U);
    EXPECT_EQ(folder.files(), 2U);

    Table<std::string, Device> restored;
    restored.put("0", {"old", 0, {}});
    EXPECT_EQ(*restored.load(folder.file("devices")), 1000U);
    EXPECT_EQ(restored.size(), 1000U);
    EXPECT_EQ(restored.get("0"), devices.get("0"));
    EXPECT_EQ(restored.get("999"), devices.get("999"));
    OrderedTable<std::uint64_t, double> sorted;
    EXPECT_EQ(*sorted.load(folder.file("numbers")), 1000U);
    EXPECT_EQ(sorted.last(), numbers.last());
}

TEST(TableSnapshot, refuses_every_damaged_byte_and_other_versions) {
    Folder folder;
    Table<std::string, int> table({.version = 2});
    table.put("key", 7);
    table.put("other", 8);
    ASSERT_TRUE(table.save(folder.file("good")));
    std::ifstream in(folder.file("good"), std::ios::binary);
    std::string good((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    auto load = [&](const std::string& bytes) {
        std::ofstream(folder.file("bad"), std::ios::binary | std::ios::trunc) << bytes;
        Table<std::string, int> fresh({.version = 2});
        auto loaded = fresh.load(folder.file("bad"));
        EXPECT_EQ(fresh.size(), loaded ? *loaded : 0U);
        return loaded;
    };
    EXPECT_EQ(*load(good), 2U);
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 4);
        EXPECT_FALSE(load(bad)) << i;
        EXPECT_FALSE(load(good.substr(0, i))) << i;
    }
    EXPECT_EQ(load(good + "x").error().code(), "damaged");
    Table<std::string, int> newer({.version = 3});
    EXPECT_EQ(newer.load(folder.file("good")).error().kind(), ErrorKind::unsupported);
    Table<std::string, long> wider({.version = 2});
    EXPECT_EQ(wider.load(folder.file("good")).error().kind(), ErrorKind::unsupported);
    EXPECT_EQ(newer.load(folder.file("none")).error().kind(), ErrorKind::not_found);
    EXPECT_EQ(table.save(folder.file("no/folder")).error().kind(), ErrorKind::io);
}

TEST(TableSnapshot, time_that_passes_while_nothing_runs_counts) {
    Folder folder;
    simulate({}, [&]() -> Task<Result<>> {
        Table<int, int> table;
        table.put(1, 1, {.ttl = 10s});
        table.put(2, 2, {.ttl = 1h});
        table.put(3, 3);
        EXPECT_EQ(*table.save(folder.file("t")), 3U);
        co_await sleep(1min);
        Table<int, int> restored;
        EXPECT_EQ(*restored.load(folder.file("t")), 2U);
        EXPECT_FALSE(restored.contains(1));
        EXPECT_EQ(restored.ttl(3), Duration::max());
        Duration left = restored.ttl(2).value_or(0s);
        EXPECT_LE(left, 59min + 1ms);
        EXPECT_GE(left, 59min - 1s);
        co_return {};
    });
}

}  // namespace bennu::snapshot_test
