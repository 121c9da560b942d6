#include "bennu/web/caching.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bennu/web/conditional.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::caching_test {

using namespace std::chrono_literals;
using Keeper = CacheControl::Keeper;
using Fields = std::vector<std::pair<std::string, std::string>>;

TEST(CacheControl, says_who_keeps_it_and_how_long) {
    EXPECT_EQ(cache_control({}), "private, no-cache");
    EXPECT_EQ(cache_control({.keeper = Keeper::nobody}), "no-store");
    EXPECT_EQ(cache_control({.max_age = 90s + 500ms}), "private, max-age=90");
    EXPECT_EQ(cache_control({.keeper = Keeper::everybody,
                             .max_age = 1h,
                             .shared_max_age = 24h,
                             .stale_while_revalidate = 1min,
                             .immutable = true}),
              "public, max-age=3600, s-maxage=86400, stale-while-revalidate=60, immutable");
}

TEST(CacheControl, refuses_what_contradicts_itself) {
    const CacheControl bad[] = {
        {.max_age = -1s},
        {.keeper = Keeper::everybody, .shared_max_age = -1s},
        {.stale_while_revalidate = -1s},
        {.shared_max_age = 1h},
        {.keeper = Keeper::nobody, .max_age = 1h},
        {.keeper = Keeper::nobody, .immutable = true},
    };
    for (const CacheControl& options : bad) {
        EXPECT_THROW(cache_control(options), std::invalid_argument);
    }
}

/// 06 Nov 1994 08:49:37 and a half: the half is no reason to send it again.
const Version version{.etag = "\"7\"", .modified = Timestamp{784'111'777'500}};

struct VersionTest : testing::Test {
    VersionTest() {
        auto act = [this](Conn conn) {
            if (auto answer = if_unchanged(conn, version)) return *std::move(answer);
            ++made;
            return with_version(text(conn, 200, "made"), version);
        };
        router->get("/", act);
        router->put("/", act);
        router->get("/bad", [](Conn conn) {
            return with_version(text(conn, 200, "x"), {.etag = "no quotes"});
        });
    }
    int made = 0;
    std::shared_ptr<Router> router = std::make_shared<Router>();
};

TEST_F(VersionTest, spares_the_work_when_the_client_has_it) {
    TestClient client(router);
    TestResponse first = client.get("/");
    EXPECT_EQ(first.header("etag"), "\"7\"");
    EXPECT_EQ(first.header("last-modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(made, 1);
    for (const Fields& fields :
         {Fields{{"if-none-match", "\"7\""}}, Fields{{"if-none-match", "\"1\", W/\"7\""}},
          Fields{{"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}}) {
        TestResponse again = client.send({.headers = fields});
        EXPECT_EQ(again.status, 304);
        EXPECT_EQ(again.header("etag"), "\"7\"");
        EXPECT_EQ(again.body, "");
    }
    EXPECT_EQ(made, 1);
    EXPECT_EQ(client.send({.headers = {{"if-none-match", "\"6\""}}}).status, 200);
    EXPECT_EQ(made, 2);
}

TEST_F(VersionTest, stops_changes_that_began_from_another_one) {
    TestClient client(router);
    auto put = [&](Fields fields) {
        return client.send({.method = net::Method::put, .headers = std::move(fields)}).status;
    };
    EXPECT_EQ(put({{"if-match", "\"6\""}}), 412);
    EXPECT_EQ(put({{"if-match", "W/\"7\""}}), 412);
    EXPECT_EQ(put({{"if-none-match", "*"}}), 412);
    EXPECT_EQ(put({{"if-unmodified-since", "Sun, 06 Nov 1994 08:49:36 GMT"}}), 412);
    EXPECT_EQ(made, 0);
    EXPECT_EQ(put({{"if-match", "\"6\", \"7\""}}), 200);
    EXPECT_EQ(put({{"if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}), 200);
    EXPECT_EQ(put({{"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}), 200);
    EXPECT_EQ(put({}), 200);
    EXPECT_EQ(made, 4);
}

TEST_F(VersionTest, a_tag_without_quotes_is_a_fault) {
    EXPECT_EQ(TestClient(router).get("/bad").status, 500);
}

}  // namespace bennu::caching_test
