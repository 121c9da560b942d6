#include "bennu/runtime/launcher/quarantine.hpp"

#include <gtest/gtest.h>

namespace bennu {
namespace {

using namespace std::chrono_literals;

class Quarantining : public testing::Test {
  protected:
    bool crash(std::uint64_t key) {
        return quarantine_.crashed(now_, key, "work " + std::to_string(key)) != nullptr;
    }
    bool in(std::uint64_t key) {
        for (const auto& entry : quarantine_.active(now_)) {
            if (entry.key == key) return true;
        }
        return false;
    }
    Quarantine quarantine_{QuarantineOptions{}};
    Instant now_{1'000'000'000'000};
};

TEST_F(Quarantining, begins_with_the_second_crash_and_ends_by_itself) {
    EXPECT_FALSE(crash(1));
    EXPECT_FALSE(in(1));
    now_ += 10s;
    EXPECT_TRUE(crash(1));
    EXPECT_TRUE(in(1));
    EXPECT_EQ(quarantine_.active(now_).front().text, "work 1");
    EXPECT_EQ(quarantine_.next_release(now_), now_ + 60s);
    now_ += 60s;
    EXPECT_FALSE(in(1));
    EXPECT_EQ(quarantine_.next_release(now_), Instant::max());
}

TEST_F(Quarantining, one_crash_is_enough_for_who_was_let_out_and_lasts_twice_as_long) {
    (void)crash(1);
    (void)crash(1);
    now_ += 61s;
    EXPECT_TRUE(crash(1));
    EXPECT_EQ(quarantine_.next_release(now_), now_ + 120s);
    for (int i = 0; i < 20; ++i) {
        now_ = quarantine_.next_release(now_) + 1s;
        EXPECT_TRUE(crash(1));
    }
    EXPECT_EQ(quarantine_.next_release(now_), now_ + 1h);
}

TEST_F(Quarantining, who_kept_still_for_its_term_is_forgotten) {
    (void)crash(1);
    (void)crash(1);
    now_ += 120s;
    EXPECT_FALSE(in(1));
    EXPECT_FALSE(crash(1));
}

TEST_F(Quarantining, crashes_far_apart_or_among_many_others_do_not_count) {
    EXPECT_FALSE(crash(1));
    now_ += 61s;
    EXPECT_FALSE(crash(1));
    for (std::uint64_t other = 2; other < 6; ++other) EXPECT_FALSE(crash(other));
    EXPECT_FALSE(crash(1));
}

TEST_F(Quarantining, a_crash_of_nothing_in_particular_puts_nothing_away) {
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(crash(0));
    EXPECT_TRUE(quarantine_.active(now_).empty());
}

TEST_F(Quarantining, everything_can_be_let_out) {
    (void)crash(1);
    (void)crash(1);
    quarantine_.release_all();
    EXPECT_FALSE(in(1));
    EXPECT_FALSE(crash(1));
}

}  // namespace
}  // namespace bennu
