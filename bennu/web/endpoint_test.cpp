#include "bennu/web/endpoint.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bennu/base/log.hpp"
#include "bennu/web/health.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_endpoint_test {

struct Tenant {
    std::string slug;
};
struct Item {
    Id id;
    std::string name;
};
BENNU_RECORD(Item, id, name)
struct Paging {
    int page = 1;
    int page_size = 50;
};
BENNU_RECORD(Paging, page, page_size)

Task<Result<Item>> find_item(Tenant tenant, Id id) {
    if (tenant.slug == "empty") {
        co_return Error(ErrorKind::not_found, "not_found", "no such item");
    }
    co_await sleep(std::chrono::seconds(1));
    co_return Item{id, tenant.slug};
}

Task<Response> show(Conn conn) {
    auto item = co_await find_item(conn.scope(), conn.param<Id>("id"));
    if (!item) co_return error(conn, item.error());
    co_return json_data(conn, 200, *item);
}

Task<int> break_after_a_while() {
    co_await sleep(std::chrono::milliseconds(5));
    throw std::runtime_error("secret detail");
}

Task<Response> crash(Conn conn) {
    int value = co_await break_after_a_while();
    co_return text(conn, 200, std::to_string(value));
}

std::shared_ptr<Router> make_router(std::vector<std::string>* trace = nullptr) {
    auto router = std::make_shared<Router>();
    router->plug(RequestIds{});
    router->plug(AccessLog{});
    router->plug(SecureHeaders{});
    router->get("/hello",
                [](Conn conn) { return json(conn, Json::object({{"message", "hello"}})); });
    router->get("/crash", crash);
    router->get("/crash-now", [](Conn) -> Response { throw std::runtime_error("secret detail"); });
    router->get("/bad-header", [](Conn conn) {
        return no_content(conn).with_header("x-note", "a\r\nset-cookie: b=1");
    });
    router->get("/page", [](Conn conn) { return html(conn, 200, "<p>hi</p>"); });
    router->get("/paging", [](Conn conn) { return json(conn, 200, conn.query_as<Paging>()); });
    router->get("/number", [](Conn conn) {
        return text(conn, 200, std::to_string(conn.query<int>("n").value_or(-1)));
    });
    router->get("/go", [](Conn conn) { return redirect(conn, "/hello"); });
    router->get("/go-anywhere",
                [](Conn conn) { return redirect(conn, conn.query().find("to")->as_string()); });
    router->post("/small", [](Conn conn) { return text(conn, 200, std::string(conn.body())); },
                 {.body_limit = 8});
    router->scope("/t",
                  {[](Conn conn) { conn.assign(Tenant{std::string(conn.header("x-tenant"))}); }},
                  [](RouteScope& scope) { scope.get("/items/:id", show); });
    auto note = [trace](std::string text) {
        if (trace) trace->push_back(std::move(text));
    };
    struct Around {
        std::function<void(std::string)> note;
        void before(Conn) const { note("before"); }
        void after(const Conn&, Response& response) const {
            note("after " + std::to_string(response.status));
        }
    };
    router->scope("/guarded",
                  {Around{note},
                   [note](Conn conn) -> Task<std::optional<Response>> {
                       co_await sleep(std::chrono::milliseconds(1));
                       note("guard");
                       if (conn.header("x-key").empty()) {
                           co_return error_status(conn, 401, "no_key", "Send a key.");
                       }
                       co_return std::nullopt;
                   },
                   [note](Conn) { note("never when halted"); }},
                  [note](RouteScope& scope) {
                      scope.get("/", [note](Conn conn) {
                          note("action");
                          conn.put_header("x-from", "conn");
                          conn.set_cookie({.name = "seen", .value = "1"});
                          conn.before_send([](Response& r) { r.headers.set("x-last", "1"); });
                          return text(conn, 200, "in");
                      });
                  });
    return router;
}

TestClient make_client(Environment environment = Environment::prod) {
    return TestClient(make_router(), {.hosts = {"www.example.com"}, .environment = environment});
}

constexpr std::string_view some_id = "0190b1c2-0000-7000-8000-000000000001";

// proves 1.6
TEST(Endpoint, answers_json_with_its_headers) {
    auto response = make_client().get("/hello");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, R"({"message":"hello"})");
    EXPECT_EQ(response.header("content-type"), "application/json");
    EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.header("content-security-policy"), "");
    EXPECT_EQ(response.header("x-request-id").size(), 36u);
}

TEST(Endpoint, params_scope_and_errors_of_contexts) {
    auto client = make_client();
    client.set_header("x-tenant", "demo");
    auto found = client.get("/t/items/" + std::string(some_id));
    EXPECT_EQ(found.status, 200);
    EXPECT_EQ(found.body, R"({"data":{"id":")" + std::string(some_id) + R"(","name":"demo"}})");
    auto malformed = client.get("/t/items/seven");
    EXPECT_EQ(malformed.status, 400);
    EXPECT_EQ(malformed.json()["errors"][0]["field"], Json("id"));
    EXPECT_TRUE(malformed.header("x-request-id").size() > 0);
    auto other = make_client();
    other.set_header("x-tenant", "empty");
    auto missing = other.get("/t/items/" + std::string(some_id));
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.body,
              R"({"errors":[{"field":null,"code":"not_found","message":"no such item"}]})");
}

TEST(Endpoint, unknown_paths_and_methods) {
    auto client = make_client();
    EXPECT_EQ(client.get("/nowhere").status, 404);
    EXPECT_EQ(client.get("/a/../hello").status, 400);
    EXPECT_EQ(client.get("/%2e%2e/hello").status, 400);
    auto wrong = client.send({.method = net::Method::delete_, .target = "/hello"});
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.header("allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(wrong.json()["errors"][0]["code"], Json("method_not_allowed"));
    auto options = client.send({.method = net::Method::options, .target = "/hello"});
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.header("allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(client.send({.method = net::Method::head, .target = "/hello"}).status, 200);
}

TEST(Endpoint, query_parameters_are_typed) {
    auto client = make_client();
    EXPECT_EQ(client.get("/paging?page=3").body, R"({"page":3,"page_size":50})");
    EXPECT_EQ(client.get("/number?n=12").body, "12");
    EXPECT_EQ(client.get("/number").body, "-1");
    for (std::string_view query :
         {"page=x", "page=1&colour=red", "page[a]=1", "page=%zz", "a=%ff"}) {
        auto response = client.get("/paging?" + std::string(query));
        EXPECT_EQ(response.status, 400) << query << response.body;
        EXPECT_TRUE(response.json()["errors"][0].contains("code")) << query;
    }
    EXPECT_EQ(client.get("/paging?colour=red").json()["errors"][0]["code"], Json("unknown"));
    EXPECT_EQ(client.get("/number?n=1e9").json()["errors"][0]["field"], Json("n"));
}

// proves 1.11
TEST(Endpoint, a_crash_ends_one_request_with_500) {
    LogCapture log;
    auto client = make_client();
    for (std::string path : {"/crash", "/crash-now", "/bad-header"}) {
        auto response = client.get(path);
        EXPECT_EQ(response.status, 500) << path;
        EXPECT_EQ(response.json()["errors"][0]["code"], Json("internal")) << path;
        EXPECT_FALSE(response.body.contains("secret")) << response.body;
        EXPECT_EQ(response.header("set-cookie"), "") << path;
        EXPECT_TRUE(log.contains(response.header("x-request-id"))) << path;
    }
    EXPECT_TRUE(log.contains("secret detail"));
    EXPECT_TRUE(log.contains("endpoint_test.cpp"));
    EXPECT_TRUE(log.contains("status=500"));
    EXPECT_EQ(client.get("/hello").status, 200);
}

TEST(Endpoint, browsers_get_error_pages) {
    auto get_page = [](const TestClient& client, std::string target) {
        return client.send(
            {.target = std::move(target), .headers = {{"accept", "text/html,*/*;q=0.8"}}});
    };
    auto plain = get_page(make_client(), "/crash");
    EXPECT_EQ(plain.status, 500);
    EXPECT_EQ(plain.header("content-type"), html_type);
    EXPECT_FALSE(plain.body.contains("secret"));
    EXPECT_TRUE(plain.body.contains(plain.header("x-request-id")));
    EXPECT_TRUE(plain.header("content-security-policy").starts_with("default-src 'none'"));
    auto helpful = get_page(make_client(Environment::dev), "/crash");
    EXPECT_TRUE(helpful.body.contains("secret detail"));
    EXPECT_TRUE(helpful.body.contains("endpoint_test.cpp"));
    // What a client sends comes back inert. proves 2.17
    auto script =
        get_page(make_client(Environment::dev), "/number?n=%3Cscript%3Ealert(1)%3C/script%3E");
    EXPECT_EQ(script.status, 400);
    EXPECT_FALSE(script.body.contains("<script"));
    EXPECT_FALSE(get_page(make_client(), "/nowhere").body.contains("/t/items/:id"));
    auto routes = get_page(make_client(Environment::dev), "/nowhere");
    EXPECT_EQ(routes.status, 404);
    EXPECT_TRUE(routes.body.contains("/t/items/:id"));
}

TEST(Endpoint, plugs_run_around_the_action) {
    std::vector<std::string> trace;
    TestClient client(make_router(&trace));
    EXPECT_EQ(client.get("/guarded").status, 401);
    EXPECT_EQ(trace, (std::vector<std::string>{"before", "guard", "after 401"}));
    trace.clear();
    auto response = client.send({.target = "/guarded", .headers = {{"x-key", "k"}}});
    EXPECT_EQ(response.body, "in");
    EXPECT_EQ(trace, (std::vector<std::string>{"before", "guard", "never when halted", "action",
                                               "after 200"}));
    EXPECT_EQ(response.header("x-from"), "conn");
    EXPECT_EQ(response.header("set-cookie"), "seen=1; Path=/; HttpOnly; SameSite=Lax");
    EXPECT_EQ(response.header("x-last"), "1");
}

TEST(Endpoint, body_limits_belong_to_routes) {
    auto client = make_client();
    auto post = [&](std::string target, std::string body) {
        return client.send(
            {.method = net::Method::post, .target = std::move(target), .body = std::move(body)});
    };
    EXPECT_EQ(post("/small", "12345678").status, 200);
    EXPECT_EQ(post("/small", "123456789").status, 413);
}

TEST(Endpoint, redirects_stay_on_this_site) {
    auto client = make_client();
    auto response = client.get("/go");
    EXPECT_EQ(response.status, 302);
    EXPECT_EQ(response.header("location"), "/hello");
    EXPECT_EQ(client.get("/go-anywhere?to=/t/demo").header("location"), "/t/demo");
    for (std::string_view target : {"//evil.example", "/\\evil.example", "https://evil.example",
                                    "/%0d%0ax:y", "/%09/evil", ""}) {
        auto bad = client.get("/go-anywhere?to=" + std::string(target));
        EXPECT_EQ(bad.status, 500) << target;
        EXPECT_EQ(bad.header("location"), "") << target;
    }
    EXPECT_EQ(local_path("//evil.example"), "/");
    EXPECT_EQ(local_path("/fine?x=1", "/"), "/fine?x=1");
}

TEST(Endpoint, request_ids_are_taken_or_made) {
    LogCapture log;
    auto client = make_client();
    auto id_for = [&](std::string sent) {
        auto response = client.send({.target = "/hello", .headers = {{"x-request-id", sent}}});
        return std::string(response.header("x-request-id"));
    };
    EXPECT_EQ(id_for("abc-123"), "abc-123");
    EXPECT_TRUE(log.contains("abc-123"));
    EXPECT_NE(id_for("a b"), "a b");
    EXPECT_NE(id_for("<script>"), "<script>");
    EXPECT_NE(id_for(std::string(200, 'x')), std::string(200, 'x'));
}

// proves 0.13
TEST(Endpoint, pages_carry_a_policy) {
    auto page = make_client().send({.target = "/page", .headers = {{"host", "assets.test:4000"}}});
    std::string_view policy = page.header("content-security-policy");
    for (std::string_view part :
         {"default-src 'self'", "script-src 'self'", "object-src 'none'", "base-uri 'none'",
          "frame-ancestors 'self'",
          "connect-src 'self' ws://assets.test:4000 wss://assets.test:4000"}) {
        EXPECT_TRUE(policy.contains(part)) << part << " in " << policy;
    }
    EXPECT_FALSE(policy.contains("script-src 'self' 'unsafe"));
    EXPECT_EQ(page.header("referrer-policy"), "strict-origin-when-cross-origin");
    EXPECT_EQ(page.header("cross-origin-opener-policy"), "same-origin");
    SecureHeaders headers({.more = {{"img-src", "https://tiles.example"}}});
    EXPECT_TRUE(
        headers.policy_for("a").contains("img-src 'self' data: blob: https://tiles.example"));
    EXPECT_FALSE(headers.policy_for("a; script-src *").contains("script-src *"));
}

TEST(Endpoint, health_follows_the_flag) {
    auto ready = std::make_shared<ReadyFlag>();
    auto router = std::make_shared<Router>();
    router->plug(AccessLog{});
    health_routes(*router, ready);
    TestClient client(router);
    LogCapture log;
    EXPECT_EQ(client.get("/healthz").status, 200);
    EXPECT_EQ(client.get("/readyz").status, 503);
    ready->set(true);
    EXPECT_EQ(client.get("/readyz").body, R"({"status":"ready"})");
    EXPECT_FALSE(log.contains("path=/healthz"));
}

TEST(Endpoint, refuses_a_router_with_mistakes) {
    auto router = std::make_shared<Router>();
    router->get("/a", Action());
    auto endpoint = Endpoint::make({}, router);
    ASSERT_FALSE(endpoint);
    EXPECT_EQ(endpoint.error().code(), "bad_routes");
}

TEST(Endpoint, failures_of_the_server_have_the_same_shape) {
    auto endpoint = Endpoint::make({}, make_router());
    ASSERT_TRUE(endpoint);
    auto refused = (*endpoint)->failure(431, "headers_too_large", "too large");
    EXPECT_EQ(refused.status, 431);
    EXPECT_EQ(refused.body_view(),
              R"({"errors":[{"field":null,"code":"headers_too_large","message":"too large"}]})");
    EXPECT_EQ((*endpoint)->failure(503, "overloaded", "x").headers.get("retry-after"), "1");
}

}  // namespace web_endpoint_test
}  // namespace bennu
