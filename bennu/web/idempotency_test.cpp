#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/runtime/within.hpp"
#include "bennu/web/idempotency_keys.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_idempotency_test {

using namespace std::chrono_literals;

/// Payments that take a second; each that is executed counts.
struct Payments {
    int executed = 0;
    int status = 201;
    std::shared_ptr<MemoryIdempotency> store = std::make_shared<MemoryIdempotency>();

    std::shared_ptr<Router> router(IdempotencyOptions options = {}) {
        if (!options.store) options.store = store;
        options.scope = [](const Conn& conn) { return std::string(conn.header("x-user")); };
        auto router = std::make_shared<Router>();
        router->scope("", {IdempotencyKeys(std::move(options))}, [this](RouteScope& scope) {
            scope.post("/payments", [this](Conn conn) -> Task<Response> {
                co_await sleep(1s);
                ++executed;
                if (conn.body() == "crash") throw std::runtime_error("told to");
                co_return text(conn, status, "payment " + std::to_string(executed))
                    .with_header("location", "/payments/" + std::to_string(executed))
                    .with_header("set-cookie", "a=b");
            });
            scope.get("/payments",
                      [this](Conn conn) { return text(conn, 200, std::to_string(++executed)); });
        });
        return router;
    }
};

TestRequest pay(std::string key, std::string body = "10 euros", std::string user = "ada") {
    TestRequest request{
        .method = net::Method::post, .target = "/payments", .body = std::move(body)};
    request.headers = {{"content-type", "text/plain"}, {"x-user", std::move(user)}};
    if (!key.empty()) request.headers.emplace_back("idempotency-key", std::move(key));
    return request;
}

BENNU_SIM_TEST(Idempotency, a_repetition_gets_the_first_answer, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Payments payments;
        TestClient client(payments.router());
        TestResponse first = co_await client.request(pay("\"key-1\""));
        EXPECT_EQ(first.status, 201);
        EXPECT_FALSE(first.headers.contains("idempotency-replayed"));
        for (int i = 0; i < 2; ++i) {
            // The quotes of a structured field may be missing.
            TestResponse again = co_await client.request(pay(i == 0 ? "\"key-1\"" : "key-1"));
            EXPECT_EQ(again.status, 201);
            EXPECT_EQ(again.body, "payment 1");
            EXPECT_EQ(again.header("location"), "/payments/1");
            EXPECT_EQ(again.header("idempotency-replayed"), "true");
            EXPECT_FALSE(again.headers.contains("set-cookie"));
        }
        EXPECT_EQ(payments.executed, 1);
        // Another key, another user, none, another method: other requests.
        EXPECT_EQ((co_await client.request(pay("key-2"))).body, "payment 2");
        EXPECT_EQ((co_await client.request(pay("key-1", "10 euros", "bob"))).body, "payment 3");
        EXPECT_EQ((co_await client.request(pay(""))).body, "payment 4");
        EXPECT_EQ((co_await client.request(pay("key-1", "10 euros", ""))).body, "payment 5");
        TestRequest get{.target = "/payments", .headers = {{"idempotency-key", "key-1"}}};
        EXPECT_EQ((co_await client.request(get)).body, "6");
        co_return {};
    });
}

BENNU_SIM_TEST(Idempotency, at_the_same_time_409_and_for_another_request_422, sim) {
    finishes(sim, []() -> Task<Result<>> {
        Payments payments;
        TestClient client(payments.router());
        auto [one, two, three] =
            co_await gather(client.request(pay("key")), client.request(pay("key")),
                            client.request(pay("key", "20 euros")));
        std::vector<int> statuses{one.status, two.status, three.status};
        EXPECT_EQ(payments.executed, 1);
        EXPECT_EQ(std::ranges::count(statuses, 201), 1);
        const bool cheaper_first = three.status != 201;
        EXPECT_EQ(std::ranges::count(statuses, 409), cheaper_first ? 1 : 0);
        EXPECT_EQ(std::ranges::count(statuses, 422), cheaper_first ? 1 : 2);
        TestResponse other = co_await client.request(pay("key", "30 euros"));
        EXPECT_EQ(other.status, 422);
        EXPECT_TRUE(other.body.contains("idempotency_key_reused"));
        co_return {};
    });
}

BENNU_SIM_TEST(Idempotency, what_was_not_done_is_done_the_next_time, sim) {
    finishes(sim, []() -> Task<Result<>> {
        LogCapture log;
        Payments payments;
        TestClient client(payments.router({.ttl = 10min, .longest_answer = 20}));
        // Called off, crashed, or with an answer that passes: nothing is kept.
        EXPECT_FALSE(co_await within(client.request(pay("a")), 500ms));
        EXPECT_EQ((co_await client.request(pay("a"))).body, "payment 1");
        EXPECT_EQ((co_await client.request(pay("b", "crash"))).status, 500);
        EXPECT_EQ((co_await client.request(pay("b"))).body, "payment 3");
        payments.status = 503;
        EXPECT_EQ((co_await client.request(pay("c"))).status, 503);
        payments.status = 404;
        EXPECT_EQ((co_await client.request(pay("c"))).status, 404);
        payments.status = 200;
        EXPECT_EQ((co_await client.request(pay("c"))).status, 404);  // a refusal is an answer
        payments.executed = 100;
        EXPECT_EQ((co_await client.request(pay("a"))).body, "payment 1");
        co_await sleep(10min);
        EXPECT_EQ((co_await client.request(pay("a"))).body, "payment 101");
        EXPECT_EQ(payments.store->keys(), 1u);
        co_return {};
    });
}

TEST(Idempotency, keys_that_are_none_are_refused) {
    Payments payments;
    TestClient client(payments.router({.without_key = IdempotencyOptions::WithoutKey::refuse}));
    EXPECT_EQ(client.send(pay("")).status, 400);
    for (const std::string& key :
         {std::string("\"\""), std::string("\"open"), std::string("a b"), std::string(256, 'x'),
          std::string("\"a\"b\""), std::string("\"a\\b\""), std::string("k\xC3\xA9y")}) {
        TestResponse refused = client.send(pay(key));
        EXPECT_EQ(refused.status, 400) << key;
        EXPECT_TRUE(refused.body.contains("idempotency_key_malformed")) << key;
    }
    TestRequest twice = pay("a");
    twice.headers.emplace_back("idempotency-key", "b");
    EXPECT_EQ(client.send(twice).status, 400);
    EXPECT_EQ(payments.executed, 0);
    EXPECT_EQ(client.send(pay(std::string(255, 'x'))).status, 201);
    EXPECT_THROW(IdempotencyKeys(IdempotencyOptions{}), std::invalid_argument);
}

struct DownStore : IdempotencyStore {
    Task<Result<IdempotencyState>> begin(IdempotencyKey, std::string, Duration) override {
        co_return Error(ErrorKind::unavailable, "down", "no connection");
    }
    Task<Result<>> finish(IdempotencyKey, std::uint64_t, StoredAnswer, Duration) override {
        co_return {};
    }
    void abandon(const IdempotencyKey&, std::uint64_t) override {}
};

TEST(Idempotency, nothing_is_executed_while_the_store_cannot_say) {
    LogCapture log;
    Payments payments;
    TestClient client(payments.router({.store = std::make_shared<DownStore>()}));
    EXPECT_EQ(client.send(pay("a")).status, 503);
    EXPECT_EQ(payments.executed, 0);
}

/// Whatever comes, the table keeps to its bounds, and answers only with what belongs to the key.
BENNU_SIM_TEST(Idempotency, memory_is_bounded_for_all_and_for_each, sim) {
    finishes(sim, [seed = sim.seed]() -> Task<Result<>> {
        MemoryIdempotency store(
            {.keys = 100, .bytes = 100'000, .keys_per_scope = 40, .bytes_per_scope = 50'000});
        Random random(seed);
        std::vector<std::pair<IdempotencyKey, std::uint64_t>> open;
        using Kind = IdempotencyState::Kind;
        int answered = 0;
        for (int i = 0; i < 3000; ++i) {
            IdempotencyKey key{"scope" + std::to_string(random.below(5)),
                               "key" + std::to_string(random.below(60))};
            Result<IdempotencyState> state = co_await store.begin(key, "print of " + key.key, 1min);
            if (!state) {
                EXPECT_EQ(state.error().kind(), ErrorKind::overloaded);
            } else if (state->kind == Kind::claimed) {
                open.emplace_back(key, state->claim);
            } else if (state->kind == Kind::answered) {
                ++answered;
                EXPECT_TRUE(state->answer.body.starts_with(key.scope + key.key + " "));
            }
            if (open.size() > random.below(60)) {
                auto [done, claim] = open.front();
                open.erase(open.begin());
                if (random.below(4) == 0) {
                    store.abandon(done, claim);
                } else {
                    std::string body = done.scope + done.key + " ";
                    body.append(random.below(5000), 'x');
                    EXPECT_TRUE(co_await store.finish(done, claim, {.body = std::move(body)}, 10s));
                }
            }
            co_await sleep(Duration(1ms) * static_cast<std::int64_t>(random.below(50)));
            EXPECT_LE(store.keys(), 100u);
            EXPECT_LE(store.bytes(), 100'000u);
        }
        EXPECT_GT(answered, 0);
        for (auto& [key, claim] : open) store.abandon(key, claim);
        EXPECT_FALSE(co_await store.begin({"scope0", std::string(60'000, 'k')}, "", 1min));
        co_return {};
    });
}

TEST(Idempotency, a_scope_that_fills_its_share_pushes_out_nobody_else) {
    finishes({}, []() -> Task<Result<>> {
        MemoryIdempotency store({.keys = 100, .keys_per_scope = 10});
        Result<IdempotencyState> mine = co_await store.begin({"ada", "1"}, "", 1min);
        EXPECT_TRUE(co_await store.finish({"ada", "1"}, mine->claim, {.body = "mine"}, 1h));
        for (int i = 0; i < 1000; ++i) {
            Result<IdempotencyState> state =
                co_await store.begin({"bob", std::to_string(i)}, "", 1min);
            if (state)
                EXPECT_TRUE(
                    co_await store.finish({"bob", std::to_string(i)}, state->claim, {}, 1h));
        }
        EXPECT_EQ(store.keys(), 11u);
        EXPECT_EQ((co_await store.begin({"ada", "1"}, "", 1min))->answer.body, "mine");
        // Requests that are under way are not pushed out: the next one is refused.
        for (int i = 0; i < 10; ++i)
            EXPECT_TRUE(co_await store.begin({"eve", std::to_string(i)}, "", 1min));
        EXPECT_EQ((co_await store.begin({"eve", "10"}, "", 1min)).error().code(),
                  "idempotency_full");
        co_await sleep(1min);  // their holders have vanished
        EXPECT_TRUE(co_await store.begin({"eve", "10"}, "", 1min));
        co_return {};
    });
}

}  // namespace web_idempotency_test
}  // namespace bennu
