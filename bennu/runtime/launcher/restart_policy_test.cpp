#include "bennu/runtime/launcher/restart_policy.hpp"

#include <gtest/gtest.h>

namespace bennu::restart_policy_test {

using namespace std::chrono_literals;

TEST(RestartPolicy, the_first_three_in_a_window_are_at_once_then_it_backs_off) {
    RestartPolicy policy({}, 1);
    Instant at{};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(policy.ended(at, at + 100ms).delay, Duration::zero());
        at += 100ms;
    }
    Duration last = Duration::zero();
    for (int i = 0; i < 5; ++i) {
        auto decision = policy.ended(at, at + 10ms);
        EXPECT_FALSE(decision.give_up);
        EXPECT_GT(decision.delay, last);
        EXPECT_LE(decision.delay, 30s);
        last = decision.delay;
        at += 20ms;
    }
}

TEST(RestartPolicy, ends_far_apart_are_always_answered_at_once) {
    RestartPolicy policy({}, 1);
    Instant at{};
    for (int i = 0; i < 100; ++i) {
        auto decision = policy.ended(at, at + 10s);
        EXPECT_EQ(decision.delay, Duration::zero());
        EXPECT_FALSE(decision.give_up);
        at += 10s;
    }
}

TEST(RestartPolicy, gives_up_when_no_node_stays_up) {
    RestartPolicy policy({}, 1);
    Instant at{};
    bool gave_up = false;
    for (int i = 0; i < 200 && !gave_up; ++i) {
        auto decision = policy.ended(at, at + 1ms);
        gave_up = decision.give_up;
        at = at + 1ms + std::min<Duration>(decision.delay, 1s);
    }
    EXPECT_TRUE(gave_up);
    EXPECT_GE(at.ns, Duration(59s).count());
}

}  // namespace bennu::restart_policy_test
