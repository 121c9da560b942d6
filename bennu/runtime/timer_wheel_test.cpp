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

TEST(TimerWheel, a_million_of_one_moment_are_moved_and_fired_in_portions) {
    TimerWheel wheel(ms(0));
    constexpr std::uint32_t count = 1'000'000;
    for (std::uint32_t i = 0; i < count; ++i) wheel.arm_wait(ms(70'000), key(i));
    std::vector<TimerWheel::Fired> fired;
    // At each step down the levels, and when they fire.
    std::size_t portions = 0, all = 0;
    for (std::int64_t now : {65'535, 65'536, 69'887, 69'888, 69'999, 70'000}) {
        for (bool more = true; more; ++portions) {
            fired.clear();
            more = wheel.advance(ms(now), 256, fired);
            all += fired.size();
            ASSERT_LE(fired.size(), 256U);
            if (more) ASSERT_LE(wheel.next_deadline(), ms(now)) << "nobody may sleep now";
        }
        ASSERT_TRUE(all == 0 || now == 70'000);
    }
    EXPECT_EQ(all, count);
    EXPECT_GE(portions, count / 256 + 2 * count / 1024);
    EXPECT_EQ(wheel.next_deadline(), TimerWheel::none);
}

TEST(TimerWheel, timers_may_be_cancelled_and_armed_between_two_portions) {
    TimerWheel wheel(ms(0));
    std::vector<TimerKey> keys;
    for (std::uint32_t i = 0; i < 10'000; ++i) keys.push_back(wheel.arm_wait(ms(300), key(i)));
    std::vector<TimerWheel::Fired> fired;
    ASSERT_TRUE(wheel.advance(ms(300), 256, fired)) << "not all can have been moved";
    EXPECT_EQ(fired.size(), 0U);
    for (std::uint32_t i = 0; i < 10'000; i += 2) EXPECT_TRUE(wheel.cancel(keys[i]));
    for (std::uint32_t i = 0; i < 500; ++i) wheel.arm_wait(ms(300 + i), key(20'000 + i));
    while (wheel.advance(ms(300), 256, fired)) {}
    EXPECT_EQ(fired.size(), 5001U);
    for (const auto& each : fired)
        EXPECT_TRUE(each.wait.index % 2 == 1 || each.wait.index == 20'000) << each.wait.index;
    fired.clear();
    while (wheel.advance(ms(1000), 256, fired)) {}
    EXPECT_EQ(fired.size(), 499U);
    EXPECT_EQ(wheel.size(), 0U);
}

}  // namespace bennu::detail::timer_wheel_test
