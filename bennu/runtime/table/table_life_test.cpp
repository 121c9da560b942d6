#include <gtest/gtest.h>

#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/table/ordered_table.hpp"
#include "bennu/runtime/table/table.hpp"

namespace bennu::table_life_test {

using namespace std::chrono_literals;
using Sessions = Table<std::string, int>;

struct Owner : Server {
    explicit Owner(std::string n) : name(std::move(n)) {}
    struct Made {
        using Reply = bool;
    };
    struct Crash {};
    bool handle(Made) {
        sessions.emplace(TableOptions{.name = name});
        sessions->put("a", 1);
        return sessions->owner() == self();
    }
    void handle(Crash) { throw std::runtime_error("boom"); }
    std::string name;
    std::optional<Sessions> sessions;
};

struct Heir : Server {
    struct Get {
        using Reply = std::string;
    };
    void handle(TableInherited m) { got = m.table + (m.from ? " from somebody" : ""); }
    std::string handle(Get) { return got; }
    std::string got;
};

BENNU_SIM_TEST(TableLife, a_table_ends_with_its_owner_in_the_same_step, sim) {
    auto outcome = simulate(sim, []() -> Task<Result<>> {
        auto owner = spawn<Owner>("sessions");
        EXPECT_TRUE(co_await call(owner, Owner::Made{}));
        auto handle = *Sessions::open("sessions");
        EXPECT_EQ(handle.get("a"), 1);
        cast(owner, Owner::Crash{});
        EXPECT_TRUE(co_await exit_of(owner.pid()));
        // Who learns of the end finds the name free: a restarted owner can take it.
        EXPECT_TRUE(handle.closed());
        EXPECT_EQ(handle.get("a"), std::nullopt);
        EXPECT_EQ(Sessions::open("sessions").error().kind(), ErrorKind::not_found);
        auto next = spawn<Owner>("sessions");
        EXPECT_TRUE(co_await call(next, Owner::Made{}));
        EXPECT_EQ(Sessions::open("sessions")->get("a"), 1);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(Sessions::open("sessions").error().kind(), ErrorKind::not_found);
}

BENNU_SIM_TEST(TableLife, an_heir_on_another_shard_inherits, sim) {
    auto outcome = simulate(sim, []() -> Task<Result<>> {
        auto owner = spawn<Owner>("inherited");
        EXPECT_TRUE(co_await call(owner, Owner::Made{}));
        Ref<Heir> heir(*co_await spawn_on(1, [] { return spawn<Heir>().pid(); }));
        auto handle = *Sessions::open("inherited");
        handle.set_heir(heir);
        kill(owner.pid());
        EXPECT_TRUE(co_await exit_of(owner.pid()));
        EXPECT_EQ(co_await call(heir, Heir::Get{}), "inherited from somebody");
        EXPECT_EQ(handle.owner(), heir.pid());
        EXPECT_EQ(handle.get("a"), 1);
        kill(heir.pid());
        EXPECT_TRUE(co_await exit_of(heir.pid()));
        EXPECT_TRUE(handle.closed());
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

BENNU_SIM_TEST(TableLife, a_table_whose_heir_is_gone_closes, sim) {
    simulate(sim, []() -> Task<Result<>> {
        auto owner = spawn<Owner>("orphan");
        EXPECT_TRUE(co_await call(owner, Owner::Made{}));
        auto handle = *Sessions::open("orphan");
        Pid heir = *co_await spawn_on(1, [] { return spawn<Heir>().pid(); });
        handle.set_heir(heir);
        kill(heir);
        EXPECT_TRUE(co_await exit_of(heir));
        kill(owner.pid());
        EXPECT_TRUE(co_await exit_of(owner.pid()));
        co_await sleep(1ms);
        EXPECT_TRUE(handle.closed());
        co_return {};
    });
    EXPECT_EQ(Sessions::open("orphan").error().kind(), ErrorKind::not_found);
}

BENNU_SIM_TEST(TableLife, a_table_that_was_given_away_outlives_the_giver, sim) {
    simulate(sim, []() -> Task<Result<>> {
        auto owner = spawn<Owner>("given");
        EXPECT_TRUE(co_await call(owner, Owner::Made{}));
        auto handle = *Sessions::open("given");
        handle.give_to(Ref<Heir>(*co_await spawn_on(1, [] { return spawn<Heir>().pid(); })));
        co_await sleep(1ms);
        kill(owner.pid());
        EXPECT_TRUE(co_await exit_of(owner.pid()));
        EXPECT_FALSE(handle.closed());
        co_return {};
    });
    // The end of the runtime ends its last owner.
    EXPECT_EQ(Sessions::open("given").error().kind(), ErrorKind::not_found);
}

template <typename Tested>
Task<> expire_entries(Tested table) {
    table.put("short", 1, {.ttl = 10s});
    table.put("long", 2, {.ttl = 1h});
    table.put("default", 3);
    EXPECT_EQ(table.ttl("short"), 10s);
    co_await sleep(9s);
    EXPECT_EQ(table.get("short"), 1);
    co_await sleep(1s);
    EXPECT_EQ(table.get("short"), std::nullopt);
    EXPECT_FALSE(table.update("short", [](int&) {}));
    EXPECT_EQ(table.take("short"), std::nullopt);
    EXPECT_TRUE(table.insert_new("short", 4, {.ttl = 10s}));
    EXPECT_TRUE(table.expire("short", 100s));
    co_await sleep(51s);
    EXPECT_EQ(table.get("default"), std::nullopt);
    EXPECT_EQ(table.get("short"), 4);
    co_await sleep(2s);
    EXPECT_EQ(table.size(), 2U);  // the sweeper destroyed the third
    co_await sleep(1h);
    EXPECT_EQ(table.size(), 0U);
    co_await sleep(10s);
    table.put("again", 5, {.ttl = 5s});  // starts a sweeper anew
    co_await sleep(10s);
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(table.update_counter("count", 1), 1);
    co_await sleep(61s);
    EXPECT_EQ(table.update_counter("count", 1), 1);
}

BENNU_SIM_TEST(TableLife, entries_expire_and_are_swept_on_virtual_time, sim) {
    sim.limit = 24h;
    sim.faults = {.clock_jumps = 0.1, .until = 10min};  // the wall clock is none of its business
    auto outcome = simulate(sim, []() -> Task<Result<>> {
        co_await expire_entries(Table<std::string, int>({.default_ttl = 60s}));
        co_await expire_entries(OrderedTable<std::string, int>({.default_ttl = 60s}));
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

BENNU_SIM_TEST(TableLife, a_table_with_nothing_to_expire_keeps_no_timer, sim) {
    sim.limit = 1000h;
    auto outcome = simulate(sim, []() -> Task<Result<>> {
        Table<int, int> table;
        table.put(1, 1);
        table.put(2, 2, {.ttl = 1s});
        co_await stop_requested();
        co_return {};
    });
    EXPECT_TRUE(outcome.hung);  // nothing is left to do once the entry is swept
    EXPECT_LT(outcome.virtual_time, 1min);
}

}  // namespace bennu::table_life_test
