#include <gtest/gtest.h>

#include <set>

#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/simulation/link.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::sim_faults_test {

using namespace std::chrono_literals;

std::vector<FaultKind> kinds_of(const std::vector<SimFault>& faults) {
    std::vector<FaultKind> kinds;
    for (const SimFault& fault : faults) kinds.push_back(fault.kind);
    return kinds;
}

TEST(SimFaults, survive_as_text) {
    std::vector<SimFault> faults{
        {.kind = FaultKind::kill, .at = 1203045us, .pick = UINT64_MAX, .target = "db:main"},
        {.kind = FaultKind::clock_jump, .at = 2s, .amount = -90min, .run = 3},
        {.kind = FaultKind::link_reorder, .step = 17, .amount = 5ms}};
    EXPECT_EQ(parse_faults(to_text(faults)).value(), faults);
    EXPECT_EQ(parse_faults("").value(), std::vector<SimFault>{});
    for (const char* wrong : {"kill", "explode:0:0:0:0:0", "kill:0:x:0:0:0", "kill:0:0:0:0"})
        EXPECT_EQ(parse_faults(wrong).error().code(), "malformed_fault") << wrong;
}

TEST(SimFaults, every_kind_has_a_name_and_a_rate) {
    std::set<std::string_view> names;
    FaultOptions none;
    for (std::size_t i = 0; i < fault_kinds; ++i) {
        names.insert(to_string(static_cast<FaultKind>(i)));
        EXPECT_EQ(none.rate(static_cast<FaultKind>(i)), 0);
    }
    EXPECT_EQ(names.size(), fault_kinds);
    EXPECT_EQ(to_string(FaultKind::link_reorder), "link_reorder");
}

/// All faults of a moment that a seed gives.
std::vector<SimFault> moments(std::uint64_t seed, const FaultOptions& options) {
    FaultSource source(seed, options);
    std::vector<SimFault> faults;
    while (source.next_moment() != Duration::max()) {
        faults.push_back(source.take_moment());
        source.struck(faults.back(), "");
    }
    return faults;
}

TEST(SimFaults, kinds_are_drawn_from_streams_of_their_own) {
    auto alone = moments(5, {.kills = 3, .most = 1000});
    auto both = moments(5, {.kills = 3, .clock_jumps = 7, .most = 1000});
    EXPECT_NEAR(static_cast<double>(alone.size()), 30, 20);
    EXPECT_GT(both.size(), alone.size() + 30);
    std::erase_if(both, [](const SimFault& fault) { return fault.kind != FaultKind::kill; });
    EXPECT_EQ(both, alone);
    EXPECT_NE(moments(6, {.kills = 3}), alone);
    EXPECT_EQ(moments(5, {.kills = 100, .most = 4}).size(), 4U);
    for (const SimFault& fault : moments(5, {.kills = 9, .until = 2s})) EXPECT_LE(fault.at, 2s);
}

TEST(SimFaults, a_share_of_the_steps_is_struck) {
    FaultSource source(3, {.resets = 0.02, .delays = 0.03, .until = 1s, .most = 10'000});
    int struck = 0;
    for (int i = 0; i < 20'000; ++i) struck += source.step(FaultStep::write, {}).has_value();
    EXPECT_NEAR(struck, 1000, 150);
    EXPECT_FALSE(source.step(FaultStep::job, {}));
    FaultSource late(3, {.resets = 1, .until = 1s});
    EXPECT_TRUE(late.step(FaultStep::write, 1s));
    EXPECT_FALSE(late.step(FaultStep::write, 2s));
}

struct Worker : Server {
    struct Work {
        using Reply = int;
    };
    int handle(Work) { return ++done; }
    int done = 0;
};

/// Supervised workers that are called all the time, over both shards, with work on an executor.
Task<Result<>> busy_tree() {
    std::vector<ChildSpec> specs;
    for (int i = 0; i < 6; ++i) {
        std::string name = "worker" + std::to_string(i);
        specs.push_back(child<Worker>(
            {.id = name, .name = name, .place = place::shard(static_cast<std::uint8_t>(i % 2))}));
    }
    co_await require(supervise({.budget = {.restarts = 10'000, .within = 1s}}, std::move(specs)));
    for (int i = 0; i < 200; ++i) {
        Ref<Worker> worker(whereis("worker" + std::to_string(random().below(6))));
        (void)co_await try_call(worker, Worker::Work{}, {.timeout = 50ms});
        (void)co_await offload([]() -> Result<int> { return 1; });
        co_await sleep(10ms);
    }
    co_return {};
}

bool is_worker(const ProcessInfo& info) {
    return info.name.starts_with("worker");
}

TEST(SimFaults, a_run_repeats_from_the_faults_that_struck_it) {
    LogCapture quiet(LogLevel::off);
    FaultOptions everything{.kills = 20,
                            .clock_jumps = 10,
                            .suspends = 2,
                            .slow_jobs = 0.1,
                            .refused_jobs = 0.05,
                            .victim = is_worker};
    for (std::uint64_t seed : {1, 2, 3}) {
        auto once = simulate({.seed = seed, .faults = everything}, &busy_tree);
        EXPECT_EQ(once.status, 0);
        EXPECT_GT(once.faults.size(), 20U);
        auto again = simulate({.seed = seed, .faults = everything}, &busy_tree);
        EXPECT_EQ(again.digest, once.digest);
        EXPECT_EQ(again.faults, once.faults);
        auto from_list = simulate(
            {.seed = seed, .faults = {.victim = is_worker}, .plan = once.faults, .trace = 10},
            &busy_tree);
        EXPECT_EQ(from_list.digest, once.digest);
        EXPECT_EQ(from_list.faults, once.faults);
        auto without = simulate({.seed = seed, .plan = std::vector<SimFault>{}}, &busy_tree);
        EXPECT_NE(without.digest, once.digest);
        EXPECT_TRUE(without.faults.empty());
    }
}

TEST(SimFaults, what_a_fault_does_not_touch_stays_the_same) {
    // The wall clock is nobody's business in this program.
    auto numbers = [](std::vector<SimFault> plan) {
        std::vector<std::int64_t> seen;
        simulate({.seed = 4, .plan = std::move(plan)}, [&]() -> Task<Result<>> {
            for (int i = 0; i < 50; ++i) {
                co_await offload([] {});
                seen.push_back(now().ns);
                co_await sleep(Duration(random().below(1'000'000)));
            }
            co_return {};
        });
        return seen;
    };
    EXPECT_EQ(numbers({{.kind = FaultKind::clock_jump, .at = 3ms, .amount = 1h},
                       {.kind = FaultKind::kill, .at = 4ms, .target = "nobody"}}),
              numbers({}));
    EXPECT_NE(numbers({{.kind = FaultKind::slow_job, .step = 3, .amount = 1h}}), numbers({}));
}

TEST(SimFaults, the_named_process_is_killed_at_the_moment) {
    Duration died{};
    std::string why;
    auto outcome = simulate(
        {.plan = std::vector<SimFault>{{.kind = FaultKind::kill, .at = 25ms, .target = "victim"}}},
        [&]() -> Task<Result<>> {
            Instant start = now();
            Ref<Worker> victim = spawn_with<Worker>({.name = "victim"});
            Ref<Worker> other = spawn<Worker>();
            why = (co_await exit_of(victim.pid())).value().describe();
            died = now() - start;
            EXPECT_TRUE(alive(other.pid()));
            co_return {};
        });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(died, 25ms);
    EXPECT_EQ(why, "killed: simulated fault");
    ASSERT_EQ(outcome.faults.size(), 1U);
    EXPECT_NE(outcome.faults[0].hit.find("victim"), std::string::npos);
}

TEST(SimFaults, main_is_killed_only_when_asked_for) {
    auto sleeper = []() -> Task<Result<>> {
        co_await sleep(9s);
        co_return {};
    };
    EXPECT_TRUE(simulate({.faults = {.kills = 5}}, sleeper).faults.empty());
    auto killed = simulate(
        {.faults = {.kills = 5, .victim = [](const ProcessInfo&) { return true; }}}, sleeper);
    EXPECT_EQ(kinds_of(killed.faults), std::vector{FaultKind::kill});
    EXPECT_EQ(killed.status, 1);
}

TEST(SimFaults, the_wall_clock_jumps_and_the_monotonic_one_does_not) {
    auto plan = std::vector<SimFault>{{.kind = FaultKind::clock_jump, .at = 1s, .amount = -1h},
                                      {.kind = FaultKind::suspend, .at = 2s, .amount = 30s}};
    auto outcome = simulate({.plan = plan}, []() -> Task<Result<>> {
        Timestamp wall = wall_now();
        Instant start = now();
        co_await sleep(1500ms);
        EXPECT_EQ(wall_now() - wall, 1500ms - 1h);
        EXPECT_EQ(now() - start, 1500ms);
        // The machine sleeps through the end of this.
        co_await sleep(1s);
        EXPECT_EQ(now() - start, 32s);
        EXPECT_EQ(wall_now() - wall, 32s - 1h);
        co_return {};
    });
    EXPECT_EQ(kinds_of(outcome.faults), (std::vector{FaultKind::clock_jump, FaultKind::suspend}));
}

TEST(SimFaults, jobs_take_longer_or_are_refused) {
    auto plan = std::vector<SimFault>{{.kind = FaultKind::slow_job, .step = 2, .amount = 3s},
                                      {.kind = FaultKind::refused_job, .step = 3}};
    simulate({.plan = plan}, []() -> Task<Result<>> {
        auto took = []() -> Task<Duration> {
            Instant start = now();
            co_await offload([] {});
            co_return now() - start;
        };
        EXPECT_LT(co_await took(), 1ms);
        EXPECT_GE(co_await took(), 3s);
        Result<int> refused = co_await offload([]() -> Result<int> { return 1; });
        EXPECT_EQ(refused ? "" : refused.error().code(), "offload_full");
        EXPECT_LT(co_await took(), 1ms);
        co_return {};
    });
}

TEST(SimFaults, faults_do_not_keep_a_hung_run_alive) {
    auto outcome = simulate({.faults = {.clock_jumps = 10, .until = 3s}}, []() -> Task<Result<>> {
        (void)co_await exit_of(self());
        co_return {};
    });
    EXPECT_TRUE(outcome.hung);
    EXPECT_GT(outcome.faults.size(), 5U);
    EXPECT_LT(outcome.virtual_time, 10s);
}

TEST(SimFaults, an_endless_loop_counts_as_hung) {
    auto outcome = simulate({.shards = 1, .max_rounds = 1000}, []() -> Task<Result<>> {
        while (true) co_await yield_now();
    });
    EXPECT_TRUE(outcome.hung);
}

struct Sink : Server {
    struct Item {
        int number;
    };
    void handle(Item item) { got->push_back(item.number); }
    explicit Sink(std::vector<int>* to) : got(to) {}
    std::vector<int>* got;
};

/// What of ten messages arrives over a link.
std::vector<int> over_a_link(std::vector<SimFault> plan, int cut_after = 10) {
    std::vector<int> got;
    simulate({.plan = std::move(plan)}, [&]() -> Task<Result<>> {
        auto sink = spawn<Sink>(&got);
        SimLink link;
        for (int i = 0; i < 10; ++i) {
            if (i == cut_after) link.cut();
            if (i == cut_after + 2) link.heal();
            link.cast(sink, Sink::Item{i});
            co_await sleep(1ms);
        }
        co_await sleep(10s);
        co_return {};
    });
    return got;
}

TEST(SimLink, keeps_messages_in_order_unless_a_fault_strikes) {
    EXPECT_EQ(over_a_link({}), (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(over_a_link({{.kind = FaultKind::link_drop, .step = 3}}),
              (std::vector{0, 1, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(over_a_link({{.kind = FaultKind::link_duplicate, .step = 3}}),
              (std::vector{0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(over_a_link({{.kind = FaultKind::link_reorder, .step = 3, .amount = 1s}}),
              (std::vector{0, 1, 3, 4, 5, 6, 7, 8, 9, 2}));
    EXPECT_EQ(over_a_link({{.kind = FaultKind::link_delay, .step = 3, .amount = 1s}}),
              (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(over_a_link({}, 4), (std::vector{0, 1, 2, 3, 6, 7, 8, 9}));
}

TEST(SimLink, is_of_the_simulator_only) {
    EXPECT_THROW(SimLink().carry(0, [] {}), std::logic_error);
}

}  // namespace bennu::sim_faults_test
