#include "bennu/web/session/sealed_cookies.hpp"

#include <gtest/gtest.h>

#include "bennu/web/testing.hpp"

namespace bennu::sealed_cookies_test {

using namespace std::chrono_literals;

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->plug(SealedCookies{});
    for (CookieSeal seal : {CookieSeal::encrypted, CookieSeal::signed_}) {
        const std::string path = seal == CookieSeal::encrypted ? "/encrypted" : "/signed";
        router->get(path, [seal](Conn conn) {
            return text(conn, 200, sealed_cookie(conn, "unit", 1h, seal).value_or("none"));
        });
        router->get(path + "/expired", [seal](Conn conn) {
            return text(conn, 200, sealed_cookie(conn, "unit", -1s, seal).value_or("none"));
        });
        router->post(path, [seal](Conn conn) {
            put_sealed_cookie(conn, {.name = "unit", .value = conn.take_body()}, seal);
            return no_content(conn);
        });
    }
    return router;
}

EndpointOptions options_with(char secret, std::vector<Secret> older = {}) {
    return {.environment = Environment::test,
            .secret = Secret(std::string(32, secret)),
            .older_secrets = std::move(older)};
}

/// `unit=…`, as the browser sends it back.
std::string put(const TestClient& client, std::string path, std::string value) {
    TestResponse response =
        client.send({.method = net::Method::post, .target = path, .body = std::move(value)});
    std::string_view cookie = response.header("set-cookie");
    return std::string(cookie.substr(0, cookie.find(';')));
}

std::string get(const TestClient& client, std::string path, std::string cookie) {
    return client.send({.target = path, .headers = {{"cookie", std::move(cookie)}}}).body;
}

TEST(SealedCookies, come_back_as_they_were_set) {
    TestClient client(make_router(), options_with('a'));
    const std::string value("m\xc3\xa9tres; \r\n=\0", 13);
    for (const std::string path : {"/encrypted", "/signed"}) {
        const std::string cookie = put(client, path, value);
        EXPECT_EQ(get(client, path, cookie), value) << path;
        EXPECT_EQ(get(client, path + "/expired", cookie), "none") << path;
        EXPECT_EQ(get(client, path, ""), "none") << path;
    }
}

TEST(SealedCookies, cannot_be_changed_renamed_or_swapped) {
    TestClient client(make_router(), options_with('a'));
    std::string cookie = put(client, "/encrypted", "metres");
    EXPECT_EQ(get(client, "/signed", cookie), "none");
    EXPECT_EQ(get(client, "/encrypted", put(client, "/signed", "metres")), "none");
    EXPECT_EQ(get(client, "/encrypted", "unit=metres"), "none");
    cookie[cookie.size() / 2] = cookie[cookie.size() / 2] == 'A' ? 'B' : 'A';
    EXPECT_EQ(get(client, "/encrypted", cookie), "none");

    auto other = make_router();
    other->post("/other", [](Conn conn) {
        put_sealed_cookie(conn, {.name = "role", .value = conn.take_body()});
        return no_content(conn);
    });
    TestClient both(other, options_with('a'));
    const std::string role = put(both, "/other", "metres");
    ASSERT_TRUE(role.starts_with("role="));
    EXPECT_EQ(get(both, "/encrypted", "unit=" + role.substr(5)), "none");
}

TEST(SealedCookies, outlive_a_new_secret_while_the_old_one_is_kept) {
    const std::string cookie =
        put(TestClient(make_router(), options_with('a')), "/encrypted", "metres");
    TestClient rotated(make_router(), options_with('b', {Secret(std::string(32, 'a'))}));
    EXPECT_EQ(get(rotated, "/encrypted", cookie), "metres");
    EXPECT_EQ(get(TestClient(make_router(), options_with('b')), "/encrypted", cookie), "none");
}

TEST(SealedCookies, are_secure_over_https_and_have_a_limit) {
    TestClient client(make_router(), options_with('a'));
    auto post = [&](TestRequest request) {
        request.method = net::Method::post;
        request.target = "/encrypted";
        return client.send(std::move(request));
    };
    EXPECT_FALSE(post({.body = "x"}).header("set-cookie").contains("Secure"));
    EXPECT_TRUE(post({.body = "x", .tls = true}).header("set-cookie").contains("Secure"));
    EXPECT_EQ(post({.body = std::string(4'000, 'x')}).status, 500);
}

TEST(SealedCookies, need_a_secret) {
    EXPECT_FALSE(Endpoint::make({}, make_router()));
}

}  // namespace bennu::sealed_cookies_test
