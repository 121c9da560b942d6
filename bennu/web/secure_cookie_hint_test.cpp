#include "bennu/web/secure_cookie_hint.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "bennu/base/log.hpp"
#include "bennu/web/protect/trusted_proxies.hpp"
#include "bennu/web/session/sessions.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::secure_cookie_hint_test {

TestClient make_client(Environment environment) {
    auto router = std::make_shared<Router>();
    router->plug(TrustedProxies({"10.0.0.1"}));
    router->plug(Sessions{});
    router->get("/login", [](Conn conn) {
        conn.session().put("user", "ada");
        return no_content(conn);
    });
    router->get("/plain", [](Conn conn) {
        conn.set_cookie({.name = "secured", .value = "not"});
        return no_content(conn);
    });
    return TestClient(
        router,
        {.hosts = {"*"}, .environment = environment, .secret = Secret(std::string(32, 's'))});
}

std::ptrdiff_t hints(const LogCapture& log) {
    return std::ranges::count_if(log.lines(), [](const std::string& line) {
        return line.contains("browsers drop a cookie");
    });
}

TEST(SecureCookieHint, is_given_once_and_names_the_ways_out) {
    LogCapture log;
    TestClient client = make_client(Environment::prod);
    EXPECT_EQ(client.get("/plain").status, 204);
    EXPECT_EQ(hints(log), 0);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(client.get("/login").header("set-cookie").contains("; Secure"));
    }
    EXPECT_EQ(hints(log), 1);
    for (auto told : {"warning", "__Host-session", "endpoint.tls.certificates",
                      "endpoint.trusted_proxies", "X-Forwarded-Proto", "endpoint.environment"})
        EXPECT_TRUE(log.contains(told)) << told;
}

TEST(SecureCookieHint, is_not_given_where_the_cookie_stays) {
    LogCapture log;
    TestClient client = make_client(Environment::prod);
    EXPECT_EQ(client.send({.target = "/login", .tls = true}).status, 204);
    EXPECT_EQ(client
                  .send({.target = "/login",
                         .headers = {{"x-forwarded-proto", "https"}},
                         .peer = {"10.0.0.1", 1}})
                  .status,
              204);
    for (Environment environment : {Environment::dev, Environment::test}) {
        EXPECT_EQ(make_client(environment).get("/login").status, 204);
    }
    EXPECT_EQ(hints(log), 0);
}

}  // namespace bennu::secure_cookie_hint_test
