#include "bennu/web/session/sessions.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/gather.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/session/flash.hpp"
#include "bennu/web/test_browser.hpp"

namespace bennu {
namespace web_sessions_test {

const Secret first_secret(std::string(32, 'a'));
const Secret second_secret(std::string(32, 'b'));

struct Cart {
    int items = 0;
    std::string note;
};
BENNU_RECORD(Cart, items, note)

std::shared_ptr<Router> session_router(SessionOptions options = {}) {
    auto router = std::make_shared<Router>();
    router->plug(Sessions(std::move(options)));
    router->get("/user", [](Conn conn) {
        return text(conn, 200, conn.session().get<std::string>("user").value_or("nobody"));
    });
    router->get("/nothing", [](Conn conn) { return no_content(conn); });
    router->get("/login/:name", [](Conn conn) {
        conn.session().renew();
        conn.session().put("user", conn.param("name"));
        return redirect(conn, "/user");
    });
    router->get("/keep/:size", [](Conn conn) {
        conn.session().put("text", std::string(conn.param<std::size_t>("size"), 'x'));
        return no_content(conn);
    });
    router->get("/logout", [](Conn conn) {
        conn.session().drop();
        return no_content(conn);
    });
    router->get("/id", [](Conn conn) { return text(conn, 200, conn.session().id()); });
    router->get("/cart", [](Conn conn) {
        Session& session = conn.session();
        Cart cart = session.get<Cart>("cart").value_or(Cart());
        ++cart.items;
        session.put("cart", cart);
        return json(conn, 200, cart);
    });
    router->get("/forget", [](Conn conn) {
        conn.session().erase("cart");
        return no_content(conn);
    });
    return router;
}

EndpointOptions endpoint_with(Secret secret, std::vector<Secret> older = {}) {
    return {.environment = Environment::test,
            .secret = std::move(secret),
            .older_secrets = std::move(older)};
}

TestBrowser browser_of(SessionOptions options = {},
                       EndpointOptions endpoint = endpoint_with(first_secret)) {
    return TestBrowser(TestClient(session_router(std::move(options)), std::move(endpoint)));
}

TEST(Sessions, a_cookie_keeps_values_and_is_written_only_when_they_change) {
    TestBrowser browser = browser_of();
    EXPECT_FALSE(browser.get("/user").headers.contains("set-cookie"));
    TestResponse login = browser.get("/login/ada");
    std::string_view cookie = login.header("set-cookie");
    EXPECT_TRUE(cookie.starts_with("session=")) << cookie;
    EXPECT_TRUE(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax")) << cookie;
    EXPECT_FALSE(cookie.contains("ada"));
    EXPECT_EQ(login.header("cache-control"), "private, max-age=0, must-revalidate");
    TestResponse user = browser.get("/user");
    EXPECT_EQ(user.body, "ada");
    EXPECT_FALSE(user.headers.contains("set-cookie"));
    EXPECT_EQ(browser.get("/cart").body, "{\"items\":1,\"note\":\"\"}");
    EXPECT_EQ(browser.get("/cart").body, "{\"items\":2,\"note\":\"\"}");
    EXPECT_FALSE(browser.get("/nothing").headers.contains("set-cookie"));
    EXPECT_TRUE(browser.get("/logout").header("set-cookie").contains("Max-Age=0"));
    EXPECT_EQ(browser.get("/user").body, "nobody");
    EXPECT_TRUE(browser.cookies().empty());
}

TEST(Sessions, the_last_value_takes_the_cookie_along) {
    TestBrowser browser = browser_of();
    browser.get("/cart");
    EXPECT_EQ(browser.cookies().size(), 1u);
    browser.get("/forget");
    EXPECT_TRUE(browser.cookies().empty());
}

TEST(Sessions, secure_cookies_have_a_name_that_no_other_host_can_set) {
    TestBrowser production = browser_of(
        {}, {.environment = Environment::prod, .secret = first_secret, .older_secrets = {}});
    std::string cookie(production.get("/login/ada").header("set-cookie"));
    EXPECT_TRUE(cookie.starts_with("__Host-session=") && cookie.contains("; Secure")) << cookie;
    EXPECT_EQ(production.get("/user").body, "ada");

    TestBrowser tls = browser_of();
    EXPECT_TRUE(tls.send({.target = "/login/ada", .tls = true})
                    .header("set-cookie")
                    .starts_with("__Host-session="));
    // What a neighbour could have set is not looked at.
    TestBrowser plain = browser_of();
    plain.get("/login/eve");
    tls.cookies() = plain.cookies();
    EXPECT_EQ(tls.send({.target = "/user", .tls = true}).body, "nobody");
}

TEST(Sessions, any_flipped_byte_makes_it_anonymous) {
    TestBrowser browser = browser_of();
    browser.get("/login/ada");
    const std::string whole = browser.cookies()["session"];
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string spoilt = whole;
        spoilt[i] = spoilt[i] == 'A' ? 'B' : 'A';
        browser.cookies()["session"] = spoilt;
        TestResponse response = browser.get("/user");
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "nobody") << i;
    }
    for (const std::string& other : {std::string("x"), whole.substr(1), whole + "A"}) {
        browser.cookies()["session"] = other;
        EXPECT_EQ(browser.get("/user").body, "nobody") << other;
    }
}

TEST(Sessions, what_was_sealed_for_another_purpose_is_no_session) {
    TestBrowser browser = browser_of();
    KeyRing other(first_secret, "another purpose");
    browser.cookies()["session"] = other.seal(R"({"c":1,"s":1,"v":{"user":"eve"}})", system_now());
    EXPECT_EQ(browser.get("/user").body, "nobody");
}

TEST(Sessions, secrets_rotate) {
    TestBrowser before = browser_of();
    before.get("/login/ada");
    TestBrowser during = browser_of({}, endpoint_with(second_secret, {first_secret}));
    during.cookies() = before.cookies();
    EXPECT_EQ(during.get("/user").body, "ada");
    during.get("/cart");  // written with the new secret
    TestBrowser after = browser_of({}, endpoint_with(second_secret));
    after.cookies() = before.cookies();
    EXPECT_EQ(after.get("/user").body, "nobody");
    after.cookies() = during.cookies();
    EXPECT_EQ(after.get("/user").body, "ada");
}

TEST(Sessions, without_a_secret_the_endpoint_does_not_start) {
    for (const Secret& secret : {Secret(), Secret("short")}) {
        auto endpoint = Endpoint::make({.secret = secret}, session_router());
        ASSERT_FALSE(endpoint);
        EXPECT_EQ(endpoint.error().code(), "no_secret");
    }
    EXPECT_FALSE(Endpoint::make({.secret = first_secret, .older_secrets = {Secret("old")}},
                                session_router()));
    EXPECT_TRUE(Endpoint::make({.secret = first_secret}, session_router()));
}

TEST(Sessions, what_does_not_fit_into_a_cookie_is_a_fault) {
    TestBrowser browser = browser_of();
    EXPECT_EQ(browser.get("/keep/2900").status, 204);
    std::string cookie = browser.cookies()["session"];
    EXPECT_LE(cookie.size() + 7, 4096u);
    EXPECT_GE(cookie.size(), 3800u);
    TestResponse large = browser.get("/keep/3100");
    EXPECT_EQ(large.status, 500);
    EXPECT_FALSE(large.headers.contains("set-cookie"));
}

Task<Result<>> live_and_die(TestBrowser browser) {
    auto user = [&] [[clang::coro_wrapper]] () { return browser.request({.target = "/user"}); };
    co_await browser.request({.target = "/login/ada"});
    for (int i = 0; i < 4; ++i) {  // four hours, used every half hour: longer than the idle time
        co_await sleep(std::chrono::minutes(30));
        EXPECT_EQ((co_await user()).body, "ada");
        co_await sleep(std::chrono::minutes(30));
        EXPECT_EQ((co_await user()).body, "ada");
    }
    auto stolen = browser.cookies();
    co_await sleep(std::chrono::minutes(61));
    EXPECT_EQ((co_await user()).body, "nobody");
    browser.cookies() = stolen;
    EXPECT_EQ((co_await user()).body, "nobody");

    co_await browser.request({.target = "/login/ada"});
    for (int i = 0; i < 9; ++i) {
        co_await sleep(std::chrono::minutes(30));
        EXPECT_EQ((co_await user()).body, "ada") << i;
    }
    co_await sleep(std::chrono::minutes(31));  // five hours and a minute: nothing helps
    EXPECT_EQ((co_await user()).body, "nobody");
    co_return Result<>();
}

SessionOptions short_lived(std::shared_ptr<SessionStore> store = {}) {
    return {.idle = std::chrono::hours(1),
            .absolute = std::chrono::hours(5),
            .store = std::move(store)};
}

TEST(Sessions, end_when_they_are_not_used_and_end_in_any_case) {
    finishes({.limit = std::chrono::hours(24)},
             [] [[clang::coro_wrapper]] () { return live_and_die(browser_of(short_lived())); });
}

TEST(Sessions, in_a_store_end_when_they_are_not_used_and_end_in_any_case) {
    finishes({.limit = std::chrono::hours(24)}, [] [[clang::coro_wrapper]] () {
        return live_and_die(browser_of(short_lived(std::make_shared<MemorySessions>())));
    });
}

Task<Result<>> stored_lives() {
    auto store = std::make_shared<MemorySessions>();
    TestBrowser browser = browser_of({.store = store});
    co_await browser.request({.target = "/cart"});
    const std::string anonymous = browser.cookies()["session"];
    EXPECT_EQ(anonymous.size(), 43u);
    EXPECT_EQ(store->size(), 1u);
    // Who knows the identifier of before the login has nothing: it is another one now.
    co_await browser.request({.target = "/login/ada"});
    const std::string ada = browser.cookies()["session"];
    EXPECT_NE(ada, anonymous);
    EXPECT_EQ(store->size(), 1u);
    TestBrowser thief = browser_of({.store = store});
    thief.cookies()["session"] = anonymous;
    EXPECT_EQ((co_await thief.request({.target = "/user"})).body, "nobody");
    // An identifier that the client made up is not taken over.
    thief.cookies()["session"] = std::string(43, 'A');
    co_await thief.request({.target = "/cart"});
    EXPECT_NE(thief.cookies()["session"], std::string(43, 'A'));
    EXPECT_EQ((co_await browser.request({.target = "/user"})).body, "ada");
    // The values of before came along; no size is too large.
    EXPECT_EQ((co_await browser.request({.target = "/cart"})).body, "{\"items\":2,\"note\":\"\"}");
    EXPECT_EQ((co_await browser.request({.target = "/keep/100000"})).status, 204);
    // A logout ends it for every copy of the cookie.
    thief.cookies()["session"] = ada;
    EXPECT_EQ((co_await thief.request({.target = "/user"})).body, "ada");
    co_await browser.request({.target = "/logout"});
    EXPECT_EQ((co_await thief.request({.target = "/user"})).body, "nobody");
    co_return Result<>();
}

TEST(Sessions, in_a_store_a_logout_is_one) {
    finishes({}, stored_lives);
}

/// A request that reads, waits and writes, while a logout passes it.
Task<Result<>> overtaken() {
    auto store = std::make_shared<MemorySessions>();
    auto router = session_router({.store = store});
    router->get("/slow", [](Conn conn) -> Task<Response> {
        co_await sleep(std::chrono::seconds(1));
        conn.session().put("late", true);
        co_return no_content(conn);
    });
    TestClient client(router, endpoint_with(first_secret));
    TestBrowser browser(client);
    co_await browser.request({.target = "/login/ada"});
    TestBrowser second = browser;
    auto late_logout = [](TestBrowser own) -> Task<TestResponse> {
        co_await sleep(std::chrono::milliseconds(100));
        co_return co_await own.request({.target = "/logout"});
    };
    co_await gather(second.request({.target = "/slow"}), late_logout(browser));
    EXPECT_EQ(store->size(), 0u);
    EXPECT_EQ((co_await second.request({.target = "/user"})).body, "nobody");
    co_return Result<>();
}

TEST(Sessions, a_request_under_way_at_the_logout_does_not_bring_it_back) {
    finishes({}, overtaken);
}

/// A store behind a network that is down.
struct BrokenStore : SessionStore {
    static Error down() { return Error(ErrorKind::unavailable, "down", "no connection"); }
    Task<Result<std::optional<std::string>>> read(std::string) override { co_return down(); }
    Task<Result<>> create(std::string, std::string, Duration) override { co_return down(); }
    Task<Result<bool>> replace(std::string, std::string, Duration) override { co_return down(); }
    Task<Result<>> erase(std::string) override { co_return down(); }
};

TEST(Sessions, a_store_that_is_down_is_503_and_no_login) {
    TestBrowser browser = browser_of({.store = std::make_shared<BrokenStore>()});
    EXPECT_EQ(browser.get("/user").status, 200);  // without a cookie nobody asks the store
    TestResponse login = browser.get("/login/ada");
    EXPECT_EQ(login.status, 503);
    EXPECT_FALSE(login.headers.contains("set-cookie"));
    browser.cookies()["session"] = std::string(43, 'A');
    EXPECT_EQ(browser.get("/user").status, 503);
}

TEST(Sessions, have_a_public_name_until_they_are_renewed) {
    TestBrowser browser = browser_of();
    std::string id = browser.get("/id").body;
    EXPECT_EQ(id.size(), 22u);
    EXPECT_EQ(browser.get("/id").body, id);
    browser.get("/login/ada");
    EXPECT_NE(browser.get("/id").body, id);
}

TEST(Sessions, without_the_plug_asking_for_one_is_a_fault) {
    auto router = std::make_shared<Router>();
    router->get("/", [](Conn conn) { return text(conn, 200, conn.session().id()); });
    EXPECT_EQ(TestClient(router).get("/").status, 500);
}

TEST(Flash, waits_across_redirects_for_the_page_that_shows_it) {
    auto router = session_router();
    router->get("/save", [](Conn conn) {
        put_flash(conn, "info", "Saved.");
        return redirect(conn, "/again");
    });
    router->get("/again", [](Conn conn) {
        flash(conn, "info");
        return redirect(conn, "/page");
    });
    router->get("/page", [](Conn conn) {
        return text(conn, 200,
                    std::string(flash(conn, "info")) + "|" + std::string(flash(conn, "error")));
    });
    TestBrowser browser(TestClient(router, endpoint_with(first_secret)));
    browser.get("/save");
    browser.get("/again");
    browser.get("/nothing");  // shows nothing, takes nothing
    browser.get("/user");
    EXPECT_EQ(browser.get("/page").body, "Saved.|");
    EXPECT_EQ(browser.get("/page").body, "|");
    EXPECT_TRUE(browser.cookies().empty());
}

TEST(SessionData, reads_only_what_it_writes) {
    detail::SessionData data{.created = {5000},
                             .seen = {7000},
                             .values = Json::object({{"a", 1}}),
                             .flash = Json::object({{"info", "x"}}),
                             .forgery = "f",
                             .id = "i"};
    auto again = detail::SessionData::decode(data.encode());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->encode(), data.encode());
    for (const char* bad : {"", "[]", "{}", R"({"c":1})", R"({"c":-1,"s":1})", R"({"c":"1","s":1})",
                            R"({"c":1,"s":1,"v":[]})", R"({"c":1,"s":1,"f":1})",
                            R"({"c":1,"s":1,"t":{}})", R"({"c":1,"s":253402300800})"}) {
        EXPECT_FALSE(detail::SessionData::decode(bad)) << bad;
    }
}

}  // namespace web_sessions_test
}  // namespace bennu
