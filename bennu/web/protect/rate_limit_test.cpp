#include "bennu/web/protect/rate_limit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <thread>

#include "bennu/base/random.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/protect/trusted_proxies.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_rate_limit_test {

using namespace std::chrono_literals;

TEST(GcraTable, allows_the_burst_and_then_the_rate) {
    GcraTable table(100);
    RateRule rule{.limit = 10, .per = 1s, .burst = 3};
    Instant at{5'000'000'000};
    EXPECT_EQ(table.hit(1, rule, at).remaining, 2u);
    EXPECT_EQ(table.hit(1, rule, at).remaining, 1u);
    RateDecision third = table.hit(1, rule, at);
    EXPECT_TRUE(third.allowed);
    EXPECT_EQ(third.remaining, 0u);
    EXPECT_EQ(third.reset, 300ms);
    RateDecision fourth = table.hit(1, rule, at);
    EXPECT_FALSE(fourth.allowed);
    EXPECT_EQ(fourth.retry_after, 100ms);
    EXPECT_FALSE(table.hit(1, rule, at + 99ms).allowed);
    EXPECT_TRUE(table.hit(1, rule, at + 100ms).allowed);
    EXPECT_FALSE(table.hit(1, rule, at + 100ms).allowed);
    EXPECT_EQ(table.hit(1, rule, at + 10s).remaining, 2u);
    EXPECT_TRUE(table.hit(std::uint64_t{2} << 44, rule, at).allowed);  // another key
}

/// Many keys, random rules and arrivals: whatever happened in the last W is at most what W allows.
TEST(GcraTable, in_any_window_at_most_limit_and_burst) {
    for (std::uint64_t seed : simulation_seeds(10)) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        GcraTable table(10'000);
        for (int round = 0; round < 20; ++round) {
            RateRule rule{.limit = static_cast<std::uint32_t>(random.between(1, 50)),
                          .per = std::chrono::milliseconds(random.between(50, 5000)),
                          .burst = static_cast<std::uint32_t>(random.between(0, 20))};
            const std::uint64_t key = random.next();
            const std::size_t burst = rule.burst ? rule.burst : rule.limit;
            std::deque<Instant> window;
            Instant at{1'000'000'000};
            std::size_t allowed = 0;
            for (int i = 0; i < 2000; ++i) {
                at += Duration(static_cast<std::int64_t>(
                    random.below(static_cast<std::uint64_t>(rule.per.count() / rule.limit) * 2)));
                RateDecision decision = table.hit(key, rule, at);
                if (!decision.allowed) {
                    EXPECT_GT(decision.retry_after, Duration::zero());
                    continue;
                }
                ++allowed;
                window.push_back(at);
                while (window.front() <= at - rule.per) window.pop_front();
                ASSERT_LE(window.size(), rule.limit + burst);
            }
            // Not by refusing everything: what came was on average about the limit.
            EXPECT_GE(allowed, 1000u);
        }
    }
}

TEST(GcraTable, a_refusal_says_exactly_when) {
    Random random(7);
    GcraTable table(100);
    RateRule rule{.limit = 7, .per = 1s, .burst = 4};
    Instant at{1'000'000'000};
    for (int i = 0; i < 1000; ++i) {
        at += Duration(static_cast<std::int64_t>(random.below(200'000))) * 1000;
        RateDecision decision = table.hit(9, rule, at);
        if (decision.allowed) continue;
        EXPECT_FALSE(table.hit(9, rule, at + decision.retry_after - 20us).allowed);
        EXPECT_TRUE(table.hit(9, rule, at + decision.retry_after + 10us).allowed);
        at += decision.retry_after + 10us;
    }
}

TEST(GcraTable, a_clock_that_goes_back_neither_opens_nor_locks) {
    GcraTable table(100);
    RateRule rule{.limit = 10, .per = 1s, .burst = 5};
    Instant late{3'600'000'000'000}, early{1'000'000'000};
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(table.hit(3, rule, late).allowed);
    // An hour back: nothing is given away, and nobody waits for an hour.
    RateDecision decision = table.hit(3, rule, early);
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.retry_after, 100ms);
    EXPECT_TRUE(table.hit(3, rule, early + 100ms).allowed);
    EXPECT_FALSE(table.hit(3, rule, early + 100ms).allowed);
}

TEST(GcraTable, memory_is_bounded_and_those_at_their_limit_stay) {
    GcraTable table(700);
    RateRule strict{.limit = 1, .per = 1h, .burst = 1},
        mild{.limit = 1000, .per = 1s, .burst = 100};
    Instant at{1'000'000'000};
    const std::uint64_t offender = 0x123456789abcdef0;
    EXPECT_TRUE(table.hit(offender, strict, at).allowed);
    Random random(1);
    for (int i = 0; i < 100'000; ++i) {
        at += 1us;
        EXPECT_TRUE(table.hit(random.next(), mild, at).allowed);
    }
    EXPECT_FALSE(table.hit(offender, strict, at).allowed);
}

/// Threads that meet on the same keys, new ones among them, count each request once.
TEST(GcraTable, threads_together_get_the_burst_and_no_more_MultiShard) {
    for (int round = 0; round < 200; ++round) {
        GcraTable table(64);
        RateRule rule{.limit = 1, .per = 1h, .burst = 50};
        std::atomic<int> allowed{0};
        std::atomic<bool> go{false};
        auto work = [&] {
            while (!go) std::this_thread::yield();
            for (int i = 0; i < 60; ++i) {
                for (std::uint64_t key = 1; key <= 3; ++key) {
                    if (table.hit(key << 44, rule, Instant{1'000'000'000}).allowed) ++allowed;
                }
            }
        };
        std::thread first(work), second(work);
        go = true;
        first.join();
        second.join();
        ASSERT_EQ(allowed, 150);
    }
}

std::shared_ptr<Router> limited_router(RateLimitOptions options) {
    auto router = std::make_shared<Router>();
    router->plug(TrustedProxies({"10.0.0.1"}));
    router->plug(RateLimit(std::move(options)));
    router->get("/", [](Conn conn) { return text(conn, 200, "done"); });
    return router;
}

RateLimitOptions three_per_minute() {
    return {.rule = {.limit = 3, .per = 1min},
            .name = "test",
            .store = std::make_shared<MemoryRates>()};
}

Task<Result<>> by_address() {
    TestClient client(limited_router(three_per_minute()));
    auto from = [&] [[clang::coro_wrapper]] (std::string peer) {
        return client.request({.peer = {std::move(peer), 1}});
    };
    TestResponse first = co_await from("192.0.2.1");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.header("ratelimit-policy"), "\"test\";q=3;w=60");
    EXPECT_EQ(first.header("ratelimit"), "\"test\";r=2;t=20");
    EXPECT_EQ(first.header("ratelimit-limit"), "3");
    EXPECT_EQ(first.header("ratelimit-remaining"), "2");
    EXPECT_EQ(first.header("ratelimit-reset"), "20");
    EXPECT_FALSE(first.headers.contains("retry-after"));
    co_await from("192.0.2.1");
    EXPECT_EQ((co_await from("::ffff:192.0.2.1")).status, 200);
    TestResponse refused = co_await from("192.0.2.1");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.header("retry-after"), "20");
    EXPECT_EQ(refused.header("ratelimit-remaining"), "0");
    EXPECT_TRUE(refused.body.contains("rate_limited"));
    EXPECT_EQ((co_await from("192.0.2.2")).status, 200);
    co_await sleep(19s);
    EXPECT_EQ((co_await from("192.0.2.1")).status, 429);
    co_await sleep(1s);
    EXPECT_EQ((co_await from("192.0.2.1")).status, 200);

    // One /64 is one client; behind a proxy it is the client that counts.
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ((co_await from("2001:db8::" + std::to_string(i))).status, 200);
    }
    EXPECT_EQ((co_await from("2001:db8:0:0:ffff::1")).status, 429);
    EXPECT_EQ((co_await from("2001:db8:0:1::1")).status, 200);
    TestRequest proxied{.headers = {{"x-forwarded-for", "192.0.2.1"}}, .peer = {"10.0.0.1", 1}};
    EXPECT_EQ((co_await client.request(proxied)).status, 429);
    co_return Result<>();
}

TEST(RateLimit, counts_by_address) {
    finishes({}, by_address);
}

Task<Result<>> by_user() {
    RateLimitOptions options = three_per_minute();
    options.key = [](const Conn& conn) { return std::string(conn.header("x-user")); };
    TestClient client(limited_router(std::move(options)));
    auto as = [&] [[clang::coro_wrapper]] (std::string user) {
        return client.request({.headers = {{"x-user", std::move(user)}}});
    };
    for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await as("ada")).status, 200);
    EXPECT_EQ((co_await as("ada")).status, 429);
    EXPECT_EQ((co_await as("bob")).status, 200);
    for (int i = 0; i < 5; ++i) {
        TestResponse unlimited = co_await as("");
        EXPECT_EQ(unlimited.status, 200);
        EXPECT_FALSE(unlimited.headers.contains("ratelimit-limit"));
    }
    co_return Result<>();
}

TEST(RateLimit, counts_by_what_a_function_says) {
    finishes({}, by_user);
}

/// The default name, for everything and, more strictly, for logins; somebody
/// tries five times a second, for ten minutes.
Task<Result<>> two_rules(RateRule wide, RateRule logins, std::vector<int>& statuses) {
    auto store = std::make_shared<MemoryRates>();
    auto router = std::make_shared<Router>();
    router->plug(RateLimit({.rule = wide, .store = store}));
    router->post("/login", [](Conn conn) { return text(conn, 200, "tried"); },
                 {.plugs = {RateLimit({.rule = logins, .store = store})}});
    TestClient client(router);
    for (int i = 0; i < 3001; ++i) {
        TestResponse answer =
            co_await client.request({.method = net::Method::post, .target = "/login"});
        statuses.push_back(answer.status);
        co_await sleep(200ms);
    }
    co_return Result<>();
}

TEST(RateLimit, rules_of_one_name_do_not_count_for_each_other) {
    std::vector<int> statuses;
    finishes({}, [&] [[clang::coro_wrapper]] () {
        return two_rules({.limit = 10, .per = 1s}, {.limit = 5, .per = 1min}, statuses);
    });
    ASSERT_EQ(statuses.size(), 3001u);
    // Ten minutes: five at once, and five in each of them.
    const auto passed = std::ranges::count(statuses, 200);
    EXPECT_LE(passed, 5 + 10 * 5);
    EXPECT_GE(passed, 10 * 5);
    EXPECT_EQ(passed + std::ranges::count(statuses, 429), 3001);
}

/// Same rule, other burst: two limits all the same.
TEST(RateLimit, the_burst_is_part_of_the_rule) {
    std::vector<int> statuses;
    finishes({}, [&] [[clang::coro_wrapper]] () {
        return two_rules({.limit = 600, .per = 1min}, {.limit = 600, .per = 1min, .burst = 1},
                         statuses);
    });
    EXPECT_EQ(std::ranges::count(statuses, 200), 3001);
}

struct DownRates : RateLimitStore {
    Task<Result<RateDecision>> hit(std::string, RateRule) override {
        co_return Error(ErrorKind::unavailable, "down", "no connection");
    }
};

TEST(RateLimit, a_store_that_is_down_opens_or_closes_as_told) {
    auto status = [](RateLimitOptions::WithoutStore then) {
        return TestClient(
                   limited_router({.store = std::make_shared<DownRates>(), .without_store = then}))
            .get("/")
            .status;
    };
    EXPECT_EQ(status(RateLimitOptions::WithoutStore::allow), 200);
    EXPECT_EQ(status(RateLimitOptions::WithoutStore::refuse), 503);
    EXPECT_THROW(RateLimit({.rule = {.limit = 0}}), std::invalid_argument);
    EXPECT_THROW(RateLimit({.name = "a b"}), std::invalid_argument);
}

}  // namespace web_rate_limit_test
}  // namespace bennu
