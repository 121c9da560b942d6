#include "bennu/net/rate_budget.hpp"

#include <gtest/gtest.h>

namespace bennu::net {

using namespace std::chrono_literals;

TEST(RateBudget, allows_a_burst_and_then_the_rate) {
    RateBudget budget;
    const Rate rate{.per_second = 10, .burst = 3};
    Instant now = Instant() + 100s;
    int allowed = 0;
    while (budget.spend(rate, now)) ++allowed;
    EXPECT_EQ(allowed, 4);  // the burst, and the one that is due
    EXPECT_FALSE(budget.spend(rate, now + 50ms));
    EXPECT_TRUE(budget.spend(rate, now + 100ms));
    EXPECT_FALSE(budget.spend(rate, now + 100ms));
    // Nobody saves up more than the burst.
    now += 1h;
    allowed = 0;
    while (budget.spend(rate, now)) ++allowed;
    EXPECT_EQ(allowed, 4);
}

TEST(RateBudget, of_none_allows_all) {
    RateBudget budget;
    for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(budget.spend({}, Instant()));
}

}  // namespace bennu::net
