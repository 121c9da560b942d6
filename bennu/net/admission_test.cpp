#include "bennu/net/admission.hpp"

#include <gtest/gtest.h>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"

namespace bennu::net::admission_test {

using namespace std::chrono_literals;
using Verdict = Admission::Verdict;

/// Judges one request each millisecond.
struct Requests {
    Requests() { admission.set_limits({.queue_delay = 5ms}); }
    Admission admission;
    Instant at{1'000'000'000};

    /// How many of them were turned away.
    int come(int count, Duration waited) {
        int refused = 0;
        for (int i = 0; i < count; ++i) {
            at = at + 1ms;
            if (admission.judge(at, waited) != Verdict::admitted) ++refused;
        }
        return refused;
    }
};

TEST(Admission, a_queue_that_is_long_for_a_moment_is_no_overload) {
    Requests requests;
    EXPECT_EQ(requests.come(50, 1ms), 0);
    EXPECT_EQ(requests.come(90, 80ms), 0);
    EXPECT_EQ(requests.come(10, 1ms), 0);
    EXPECT_EQ(requests.come(90, 80ms), 0);
    EXPECT_FALSE(requests.admission.overloaded());
}

TEST(Admission, a_queue_that_stands_is_cut_to_twice_the_target) {
    LogCapture log;
    Requests requests;
    EXPECT_EQ(requests.come(100, 6ms), 0);
    EXPECT_EQ(requests.come(20, 6ms), 0);
    EXPECT_TRUE(requests.admission.overloaded());
    EXPECT_EQ(requests.come(20, 11ms), 20);
    EXPECT_EQ(requests.come(20, 10ms), 0);
    EXPECT_TRUE(log.contains("faster than they are answered"));
}

TEST(Admission, it_ends_when_nobody_waited_long_for_a_whole_window) {
    Requests requests;
    requests.come(120, 20ms);
    ASSERT_TRUE(requests.admission.overloaded());
    // One in each window is enough to go on.
    for (int window = 0; window < 5; ++window) {
        EXPECT_EQ(requests.come(1, 20ms), 1);
        EXPECT_EQ(requests.come(99, 1ms), 0);
        EXPECT_TRUE(requests.admission.overloaded());
    }
    requests.come(220, 5ms);
    EXPECT_FALSE(requests.admission.overloaded());
    EXPECT_EQ(requests.come(50, 20ms), 0);
}

TEST(Admission, a_pause_forgets_what_was_before) {
    Requests requests;
    requests.come(90, 20ms);
    requests.at = requests.at + 10s;
    EXPECT_EQ(requests.come(50, 20ms), 0);
    EXPECT_FALSE(requests.admission.overloaded());
    requests.come(150, 20ms);
    ASSERT_TRUE(requests.admission.overloaded());
    requests.at = requests.at + 10s;
    EXPECT_EQ(requests.come(50, 20ms), 0);
}

TEST(Admission, without_a_target_nobody_is_turned_away) {
    Requests requests;
    requests.admission.set_limits({.queue_delay = Duration::zero()});
    EXPECT_EQ(requests.come(1000, 10s), 0);
}

TEST(Admission, memory_over_its_limit_turns_away_until_some_is_free_again) {
    LogCapture log;
    std::vector<std::string> told;
    Subscription listening = subscribe_events(
        "net.overload.*", [&](const EventView& event) { told.emplace_back(event.name); });
    Requests requests;
    requests.admission.set_limits({.memory = 1000});
    requests.admission.note_memory(1000);
    EXPECT_EQ(requests.come(1, 0ms), 0);
    requests.admission.note_memory(1001);
    EXPECT_EQ(requests.admission.judge(requests.at, 0ms), Verdict::memory);
    requests.admission.note_memory(960);
    EXPECT_EQ(requests.come(1, 0ms), 1);
    requests.admission.note_memory(950);
    EXPECT_EQ(requests.come(1, 0ms), 0);
    EXPECT_EQ(told, (std::vector<std::string>{"net.overload.begin", "net.overload.end"}));
}

}  // namespace bennu::net::admission_test
