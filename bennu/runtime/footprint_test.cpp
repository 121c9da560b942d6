// What keeps the memory of a process small: names and links that take one record.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/runtime/group.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation.hpp"
#include "bennu/runtime/supervisor/dynamic_supervisor.hpp"

namespace bennu::footprint_test {

using namespace std::chrono_literals;
using detail::Shard;

struct Resident : Server {};

BENNU_SIM_TEST(Footprint, a_name_stays_with_a_process_that_gets_an_extension_later, options) {
    auto outcome = simulate(options, []() -> Task<Result<>> {
        auto first = spawn_with<Resident>({.name = "the resident"});
        auto& process = *Shard::current()->find(first.pid());
        EXPECT_EQ(process.besides.extension(), nullptr);
        join_group("residents", first.pid());
        EXPECT_NE(process.besides.extension(), nullptr);
        EXPECT_EQ(process.besides.name()->text(), "the resident");
        EXPECT_EQ(whereis("the resident"), first.pid());
        kill(first.pid());
        EXPECT_FALSE(whereis("the resident"));
        auto second = spawn_with<Resident>({.name = "the resident"});
        EXPECT_EQ(whereis("the resident"), second.pid());
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

BENNU_SIM_TEST(Footprint, names_of_any_length_are_told_apart, options) {
    auto outcome = simulate(options, []() -> Task<Result<>> {
        std::vector<Pid> pids;
        for (std::size_t length : {0, 1, 19, 20, 21, 100, 5'000}) {
            std::string name = "n" + std::string(length, 'x');
            pids.push_back(spawn_with<Resident>({.name = name}).pid());
            EXPECT_EQ(whereis(name), pids.back());
            EXPECT_FALSE(whereis(name + "y"));
        }
        for (Pid pid : pids) kill(pid);
        EXPECT_FALSE(whereis("n"));
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

BENNU_SIM_TEST(Footprint, a_link_to_a_spawned_process_is_one_record_and_works_both_ways, options) {
    auto outcome = simulate(options, []() -> Task<Result<>> {
        Shard& shard = *Shard::current();
        Pid child;
        Pid parent = spawn_task([&]() -> Task<> {
            std::size_t before = shard.gauges().monitors;
            child = spawn_with<Resident>({.link = true}).pid();
            EXPECT_EQ(shard.gauges().monitors, before + 1);
            co_await sleep(1h);
        });
        co_await sleep(1ms);
        auto linked = [&](Pid a, Pid b) {
            return shard.linked(*shard.find(a), b) && shard.linked_by(*shard.find(b), a);
        };
        EXPECT_TRUE(linked(parent, child));
        EXPECT_TRUE(linked(child, parent));
        EXPECT_FALSE(linked(self(), child));
        EXPECT_FALSE(linked(child, self()));
        std::size_t before = shard.gauges().monitors;
        kill(parent, "to see what its child does");
        auto reason = co_await exit_of(child, 1s);
        EXPECT_TRUE(!reason || reason->kind() == ExitReason::Kind::noproc);
        EXPECT_FALSE(alive(child));
        EXPECT_EQ(shard.gauges().monitors, before - 1);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

BENNU_SIM_TEST(Footprint, a_child_is_counted_once_however_it_came, options) {
    LogCapture quiet;
    auto outcome = simulate(options, []() -> Task<Result<>> {
        auto supervisor = co_await require(start<DynamicSupervisor>(SpawnOptions{.link = true}));
        for (Restart restart : {Restart::permanent, Restart::temporary}) {
            Pid pid =
                co_await require(start_child(supervisor, child<Resident>({.restart = restart})));
            cast(supervisor, DynamicSupervisor::Adopt{pid});
        }
        EXPECT_EQ(co_await call(supervisor, DynamicSupervisor::Count{}), 2U);
        // The permanent one comes back, the temporary one does not.
        for (const ChildInfo& row : *co_await which_children(supervisor)) {
            kill(row.pid);
            co_await sleep(1s);
        }
        EXPECT_EQ(co_await call(supervisor, DynamicSupervisor::Count{}), 1U);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

}  // namespace bennu::footprint_test
