#include "bennu/runtime/launcher/hang_watch.hpp"

#include <gtest/gtest.h>

#include <array>

#include "bennu/runtime/launcher/node_page.hpp"

namespace bennu {
namespace {

using namespace std::chrono_literals;
using Kind = HangWatch::Finding::Kind;

class HangWatching : public testing::Test {
  protected:
    /// Looks as often as the launcher does, for so long; the findings that were not `fine`.
    std::vector<Kind> watch(Duration duration, bool halted = false) {
        std::vector<Kind> found;
        for (Duration passed{}; passed < duration; passed += HangLimits{}.look_every()) {
            now_ += HangLimits{}.look_every();
            const HangWatch::Finding finding = watch_.look(now_, beats_, halted);
            last_ = finding;
            if (finding.kind != Kind::fine) found.push_back(finding.kind);
        }
        return found;
    }
    HangWatch watch_{HangLimits{}};
    Instant now_{1'000'000'000};
    std::array<std::int64_t, 2> beats_{7, NodePage::asleep};
    HangWatch::Finding last_;
};

TEST_F(HangWatching, tells_of_a_shard_that_does_not_move_once_per_limit) {
    EXPECT_EQ(watch(950ms), std::vector<Kind>{});
    EXPECT_EQ(watch(9s), std::vector{Kind::slow});
    EXPECT_TRUE(watch_.hanging());
    EXPECT_EQ(watch(3s), (std::vector{Kind::hangs, Kind::immovable}));
    EXPECT_EQ(watch(60s), std::vector<Kind>{});
}

TEST_F(HangWatching, a_shard_that_moves_or_sleeps_is_fine) {
    for (int i = 0; i < 100; ++i) {
        beats_ = {i + 8, NodePage::asleep};
        EXPECT_EQ(watch(500ms), std::vector<Kind>{});
    }
    beats_ = {NodePage::asleep, 0};  // the second does not run yet
    EXPECT_EQ(watch(60s), std::vector<Kind>{});
    EXPECT_FALSE(watch_.hanging());
}

TEST_F(HangWatching, names_the_shard) {
    beats_ = {NodePage::asleep, 9};
    (void)watch(2s);
    EXPECT_EQ(last_.shard, 1U);
}

TEST_F(HangWatching, one_that_goes_on_may_hang_anew) {
    EXPECT_EQ(watch(2s), std::vector{Kind::slow});
    beats_[0] = 8;
    EXPECT_EQ(watch(250ms), std::vector<Kind>{});
    EXPECT_FALSE(watch_.hanging());
    EXPECT_EQ(watch(2s), std::vector{Kind::slow});
}

TEST_F(HangWatching, a_stopped_node_does_not_hang) {
    EXPECT_EQ(watch(60s, true), std::vector<Kind>{});
    EXPECT_EQ(watch(700ms), std::vector<Kind>{});
    beats_[0] = 8;
    EXPECT_EQ(watch(700ms), std::vector<Kind>{});
}

TEST_F(HangWatching, time_in_which_the_launcher_did_not_run_does_not_count) {
    EXPECT_EQ(watch(250ms), std::vector<Kind>{});
    now_ += std::chrono::hours(8);  // the machine was suspended
    EXPECT_EQ(watch(250ms), std::vector<Kind>{});
    beats_[0] = 8;
    EXPECT_EQ(watch(250ms), std::vector<Kind>{});
}

}  // namespace
}  // namespace bennu
