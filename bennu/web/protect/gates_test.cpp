#include <gtest/gtest.h>

#include "bennu/base/bytes.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/basic_auth.hpp"
#include "bennu/web/protect/cors.hpp"
#include "bennu/web/protect/force_ssl.hpp"
#include "bennu/web/protect/require_client_certificate.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_gates_test {

std::shared_ptr<Router> router_with(Plug plug) {
    auto router = std::make_shared<Router>();
    router->plug(std::move(plug));
    auto done = [](Conn conn) { return text(conn, 200, "done"); };
    router->get("/", done);
    router->post("/", done);
    for (auto path : {"/livez", "/healthz", "/readyz"}) router->get(path, done);
    router->get("/api/x", done);
    return router;
}

using HeaderList = std::vector<std::pair<std::string, std::string>>;

TEST(ForceSsl, sends_to_https_what_came_over_http) {
    TestClient client(router_with(ForceSsl{}));
    TestResponse get = client.get("/a%20b?c=d");
    EXPECT_EQ(get.status, 301);
    EXPECT_EQ(get.header("location"), "https://www.example.com/a%20b?c=d");
    TestResponse post = client.send(
        {.method = net::Method::post, .headers = {{"host", "shop.example:4000"}}, .body = "x"});
    EXPECT_EQ(post.status, 308);
    EXPECT_EQ(post.header("location"), "https://shop.example/");
    EXPECT_EQ(client.send({.tls = true}).status, 200);
    for (auto path : {"/livez", "/healthz", "/readyz"}) EXPECT_EQ(client.get(path).status, 200);
    EXPECT_EQ(client.get("/healthzz").status, 301);
    EXPECT_EQ(client.send({.headers = {{"host", "localhost:4000"}}}).status, 200);
    EXPECT_EQ(client.send({.headers = {{"host", "[::1]:4000"}}}).status, 200);

    // As containers are called.
    EXPECT_EQ(client.send({.headers = {{"host", "my_app:4000"}}}).header("location"),
              "https://my_app/");

    TestClient fixed(router_with(ForceSsl({.host = "shop.example:8443"})));
    EXPECT_EQ(fixed.send({.headers = {{"host", "evil.example"}}}).header("location"),
              "https://shop.example:8443/");
}

TEST(BasicAuth, lets_in_who_is_on_the_list) {
    auto router = std::make_shared<Router>();
    router->plug(BasicAuth({{"ada", Secret("a:b")}, {"bob", Secret("x")}}, "Staging"));
    router->get("/", [](Conn conn) { return text(conn, 200, conn.get<BasicUser>().name); });
    TestClient client(router);
    auto send = [&](std::string value) {
        return client.send({.headers = {{"authorization", std::move(value)}}});
    };
    EXPECT_EQ(send("Basic " + base64_encode("ada:a:b")).body, "ada");
    EXPECT_EQ(send("basic  " + base64_encode("bob:x")).body, "bob");
    TestResponse refused = client.get("/");
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.header("www-authenticate"), "Basic realm=\"Staging\", charset=\"UTF-8\"");
    for (const std::string& bad :
         {"ada:x", "bob:a:b", "ada", "ada:", ":a:b", "", "ada:a:b ", "ADA:a:b"}) {
        EXPECT_EQ(send("Basic " + base64_encode(bad)).status, 401) << bad;
    }
    for (const std::string& bad : {"Basic", "Basic ", "Basic ***", "Bearer YWRhOmE6Yg=="}) {
        EXPECT_EQ(send(bad).status, 401) << bad;
    }
    EXPECT_THROW(BasicAuth({{"ada", Secret()}}), std::invalid_argument);
    EXPECT_THROW(BasicAuth({{"a:b", Secret("x")}}), std::invalid_argument);
}

TEST(RequireClientCertificate, lets_in_who_showed_one) {
    auto router = std::make_shared<Router>();
    router->plug(RequireClientCertificate{});
    router->get("/",
                [](Conn conn) { return text(conn, 200, conn.client_certificate()->common_name); });
    TestClient client(router);
    const TestResponse refused = client.get("/");
    EXPECT_EQ(refused.status, 403);
    EXPECT_TRUE(refused.body.contains("client_certificate_required")) << refused.body;
    net::PeerCertificate shown{.common_name = "sensor-7"};
    EXPECT_EQ(client
                  .send({.client_certificate =
                             std::make_shared<const net::PeerCertificate>(std::move(shown))})
                  .body,
              "sensor-7");
}

HeaderList preflight(std::string origin) {
    return {{"origin", std::move(origin)}, {"access-control-request-method", "PUT"}};
}

TEST(Cors, permits_the_pages_that_are_listed) {
    TestClient client(router_with(Cors({.origins = {"https://app.example", "//*.team.example"},
                                        .paths = {"/api"},
                                        .expose = {"x-total"},
                                        .credentials = CorsOptions::Credentials::allowed})));
    TestResponse asked = client.send({.method = net::Method::options,
                                      .target = "/api/x",
                                      .headers = preflight("https://app.example")});
    EXPECT_EQ(asked.status, 204);
    EXPECT_EQ(asked.header("access-control-allow-origin"), "https://app.example");
    EXPECT_EQ(asked.header("access-control-allow-credentials"), "true");
    EXPECT_EQ(asked.header("access-control-allow-methods"), "GET, HEAD, POST, PUT, PATCH, DELETE");
    EXPECT_EQ(asked.header("access-control-allow-headers"), "content-type, authorization");
    EXPECT_EQ(asked.header("access-control-max-age"), "7200");
    EXPECT_TRUE(asked.headers.has_token("vary", "origin"));
    EXPECT_TRUE(asked.headers.has_token("vary", "access-control-request-headers"));

    TestResponse got =
        client.send({.target = "/api/x", .headers = {{"origin", "http://ui.team.example:3000"}}});
    EXPECT_EQ(got.body, "done");
    EXPECT_EQ(got.header("access-control-allow-origin"), "");  // its port is not the list's
    got = client.send({.target = "/api/x", .headers = {{"origin", "http://ui.team.example"}}});
    EXPECT_EQ(got.header("access-control-allow-origin"), "http://ui.team.example");
    EXPECT_EQ(got.header("access-control-expose-headers"), "x-total");

    for (std::string origin :
         {"https://evil.example", "null", "http://app.example", "https://app.example.evil.example",
          "https://team.example", "https://app.example@evil.example"}) {
        TestResponse refused = client.send(
            {.method = net::Method::options, .target = "/api/x", .headers = preflight(origin)});
        EXPECT_EQ(refused.status, 204);
        EXPECT_FALSE(refused.headers.contains("access-control-allow-origin")) << origin;
        EXPECT_FALSE(refused.headers.contains("access-control-allow-methods")) << origin;
        EXPECT_TRUE(refused.headers.has_token("vary", "origin"));
    }
    // Caches must keep the answers apart even when nobody asked across sites.
    EXPECT_TRUE(client.get("/api/x").headers.has_token("vary", "origin"));
    TestResponse elsewhere =
        client.send({.target = "/", .headers = {{"origin", "https://app.example"}}});
    EXPECT_FALSE(elsewhere.headers.contains("access-control-allow-origin"));
    // An OPTIONS request that is no preflight is the router's.
    EXPECT_EQ(client.send({.method = net::Method::options, .target = "/api/x"}).header("allow"),
              "GET, HEAD, OPTIONS");
}

TEST(Cors, every_site_excludes_credentials) {
    TestClient client(router_with(Cors({.origins = {"*"}})));
    TestResponse got = client.send({.headers = {{"origin", "https://any.example"}}});
    EXPECT_EQ(got.header("access-control-allow-origin"), "*");
    EXPECT_FALSE(got.headers.contains("vary"));
    auto start = [](CorsOptions options) {
        return Endpoint::make({}, router_with(Cors(std::move(options)))).has_value();
    };
    EXPECT_FALSE(start({.origins = {"*"}, .credentials = CorsOptions::Credentials::allowed}));
    EXPECT_FALSE(start({}));
}

TEST(SecureHeaders, put_the_nonce_of_the_page_into_its_policy) {
    auto router = std::make_shared<Router>();
    router->plug(SecureHeaders{});
    router->get("/plain", [](Conn conn) { return html(conn, 200, "x"); });
    router->get("/nonce", [](Conn conn) {
        std::string nonce(csp_nonce(conn));
        EXPECT_EQ(csp_nonce(conn), nonce);
        return html(conn, 200, nonce);
    });
    TestClient client(router);
    EXPECT_FALSE(client.get("/plain").header("content-security-policy").contains("NONCE"));
    EXPECT_TRUE(client.get("/plain")
                    .header("content-security-policy")
                    .contains("script-src 'self'; style-src 'self';"));
    TestResponse first = client.get("/nonce");
    std::string source = "'nonce-" + first.body + "'";
    EXPECT_EQ(first.body.size(), 22u);
    EXPECT_TRUE(
        first.header("content-security-policy")
            .contains("script-src 'self' " + source + "; style-src 'self' " + source + ";"));
    EXPECT_NE(client.get("/nonce").body, first.body);
}

TEST(SecureHeaders, tell_browsers_to_stay_on_https) {
    TestClient client(router_with(SecureHeaders{}));
    EXPECT_FALSE(client.get("/").headers.contains("strict-transport-security"));
    EXPECT_EQ(client.send({.tls = true}).header("strict-transport-security"), "max-age=31536000");
    EXPECT_FALSE(client.send({.headers = {{"host", "localhost:4443"}}, .tls = true})
                     .headers.contains("strict-transport-security"));
    TestClient wide(
        router_with(SecureHeaders({}, {.max_age = std::chrono::days(730),
                                       .subdomains = TransportPolicy::Subdomains::included})));
    EXPECT_EQ(wide.send({.tls = true}).header("strict-transport-security"),
              "max-age=63072000; includeSubDomains");
}

}  // namespace web_gates_test
}  // namespace bennu
