#include "bennu/runtime/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>

#include "bennu/base/random.hpp"

namespace bennu::detail::timer_wheel_test {

Instant ms(std::int64_t value) {
    return Instant{value * 1'000'000};
}

ReplyTo key(std::uint32_t index) {
    ReplyTo to;
    to.index = index;
    to.generation = 1;
    return to;
}

TEST(TimerWheel, fires_never_early_and_at_most_one_tick_late) {
    Random random(42);
    TimerWheel wheel(ms(0));
    std::map<std::uint32_t, std::int64_t> deadlines;
    for (std::uint32_t i = 0; i < 5000; ++i) {
        auto at =
            static_cast<std::int64_t>(random.below(random.chance(0.5) ? 300 : 20'000'000)) + 1;
        deadlines[i] = at;
        wheel.arm_wait(ms(at), key(i));
    }
    std::vector<TimerWheel::Fired> fired;
    std::int64_t now = 0, last = 0;
    while (!deadlines.empty()) {
        Instant next = wheel.next_deadline();
        ASSERT_NE(next, TimerWheel::none);
        last = now;
        now = std::max(now + 1, next.ns / 1'000'000);
        fired.clear();
        while (wheel.advance(ms(now), 64, fired)) {}
        for (auto& f : fired) {
            auto found = deadlines.find(f.wait.index);
            ASSERT_NE(found, deadlines.end());
            EXPECT_LE(found->second, now);
            EXPECT_GT(found->second, last);
            deadlines.erase(found);
        }
    }
    EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, a_cancelled_timer_does_not_fire_and_its_key_is_dead) {
    TimerWheel wheel(ms(0));
    TimerKey first = wheel.arm_wait(ms(5), key(1));
    wheel.arm_wait(ms(5), key(2));
    EXPECT_TRUE(wheel.cancel(first));
    EXPECT_FALSE(wheel.cancel(first));
    std::vector<TimerWheel::Fired> fired;
    wheel.advance(ms(10), 64, fired);
    ASSERT_EQ(fired.size(), 1U);
    EXPECT_EQ(fired[0].wait.index, 2U);
    TimerKey again = wheel.arm_wait(ms(20), key(3));
    EXPECT_FALSE(wheel.cancel(first));
    EXPECT_TRUE(wheel.cancel(again));
    EXPECT_EQ(wheel.next_deadline(), TimerWheel::none);
}

TEST(TimerWheel, a_full_bucket_is_fired_in_portions) {
    TimerWheel wheel(ms(0));
    for (std::uint32_t i = 0; i < 1000; ++i) wheel.arm_wait(ms(7), key(i));
    std::vector<TimerWheel::Fired> fired;
    std::size_t portions = 0;
    while (true) {
        fired.clear();
        bool more = wheel.advance(ms(7), 100, fired);
        EXPECT_LE(fired.size(), 100U);
        if (fired.empty()) break;
        ++portions;
        if (!more) break;
    }
    EXPECT_EQ(portions, 10U);
    EXPECT_EQ(wheel.size(), 0U);
}

}  // namespace bennu::detail::timer_wheel_test
