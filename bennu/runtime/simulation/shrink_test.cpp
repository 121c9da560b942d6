#include "bennu/runtime/simulation/shrink.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::sim_shrink_test {

using namespace std::chrono_literals;

std::vector<SimFault> numbered(std::uint64_t count) {
    std::vector<SimFault> faults;
    for (std::uint64_t i = 0; i < count; ++i)
        faults.push_back({.kind = FaultKind::reset, .step = i});
    return faults;
}

std::vector<std::uint64_t> steps_of(const std::vector<SimFault>& faults) {
    std::vector<std::uint64_t> steps;
    for (const SimFault& fault : faults) steps.push_back(fault.step);
    return steps;
}

/// Shrinks a run that fails when all of these are there.
Shrunk shrunk_to(std::uint64_t count, const std::vector<std::uint64_t>& needed,
                 ShrinkOptions options = {}) {
    return shrink_faults(
        numbered(count),
        [&](const std::vector<SimFault>& faults) {
            auto steps = steps_of(faults);
            return std::includes(steps.begin(), steps.end(), needed.begin(), needed.end());
        },
        options);
}

TEST(SimShrink, keeps_what_the_failure_takes) {
    for (const std::vector<std::uint64_t>& needed : std::vector<std::vector<std::uint64_t>>{
             {}, {0}, {99}, {3, 96}, {10, 11, 12}, {0, 25, 50, 75, 99}}) {
        Shrunk shrunk = shrunk_to(100, needed);
        EXPECT_EQ(steps_of(shrunk.faults), needed);
        EXPECT_TRUE(shrunk.minimal);
        EXPECT_LE(shrunk.runs, 100U);
    }
    EXPECT_EQ(shrunk_to(100, {}).runs, 1U);
    EXPECT_LE(shrunk_to(100, {42}).runs, 20U);
}

TEST(SimShrink, finds_what_can_go_only_after_something_else) {
    // The first may go only once the last is gone.
    Shrunk shrunk = shrink_faults(numbered(3), [](const std::vector<SimFault>& faults) {
        auto steps = steps_of(faults);
        return steps != std::vector<std::uint64_t>{1, 2} && !steps.empty() &&
               std::find(steps.begin(), steps.end(), 1) != steps.end();
    });
    EXPECT_EQ(steps_of(shrunk.faults), std::vector<std::uint64_t>{1});
    EXPECT_TRUE(shrunk.minimal);
}

TEST(SimShrink, stops_after_so_many_runs_and_so_much_time) {
    Shrunk few = shrunk_to(100, {3, 96}, {.runs = 5});
    EXPECT_EQ(few.runs, 5U);
    EXPECT_FALSE(few.minimal);
    auto steps = steps_of(few.faults);
    EXPECT_TRUE(std::find(steps.begin(), steps.end(), 96) != steps.end());
    EXPECT_EQ(shrunk_to(100, {3, 96}, {.time = 0s}).runs, 0U);
}

struct Part : Server {
    explicit Part(bool& g) : gone(g) {}
    ~Part() { gone = true; }
    bool& gone;
};

TEST(SimShrink, finds_the_two_of_fifty_faults_that_only_together_break_a_program) {
    std::vector<SimFault> faults;
    for (int i = 0; i < 48; ++i) {
        faults.push_back({.kind = i % 2 ? FaultKind::clock_jump : FaultKind::kill,
                          .at = (i + 1) * 10ms,
                          .amount = i * 1s,
                          .target = i % 2 ? "" : "bystander"});
    }
    SimFault a{.kind = FaultKind::kill, .at = 123ms, .target = "left"};
    SimFault b{.kind = FaultKind::slow_job, .step = 7, .amount = 300ms};
    faults.insert(faults.begin() + 11, a);
    faults.insert(faults.begin() + 40, b);

    // Loses data when its first copy dies while the second is being written.
    auto loses_data = [](const std::vector<SimFault>& some) {
        bool lost = false, left_gone = false;
        simulate({.plan = some}, [&]() -> Task<Result<>> {
            spawn_with<Part>({.name = "left"}, left_gone);
            bool ignored = false;
            spawn_with<Part>({.name = "bystander"}, ignored);
            for (int i = 0; i < 20; ++i) {
                bool before = left_gone;
                Instant began = now();
                co_await offload([] {});
                if (!before && left_gone && now() - began > 100ms) lost = true;
                co_await sleep(15ms);
            }
            // `ignored` must outlive the process.
            if (whereis("bystander")) co_await stop_and_wait(whereis("bystander"));
            co_return {};
        });
        return lost;
    };
    EXPECT_TRUE(loses_data(faults));
    EXPECT_FALSE(loses_data({a}));
    EXPECT_FALSE(loses_data({b}));
    Shrunk shrunk = shrink_faults(faults, loses_data);
    EXPECT_EQ(shrunk.faults, (std::vector{a, b}));
    EXPECT_TRUE(shrunk.minimal);
    EXPECT_LE(shrunk.runs, 60U);
}

}  // namespace bennu::sim_shrink_test
