// What a request may cost, by endpoint, scope and route, over both wires.
#include "bennu/web/route_limits.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::route_limits_test {

using namespace std::chrono_literals;

net::Headers headers(std::initializer_list<net::Headers::Field> fields) {
    net::Headers all;
    for (auto [name, value] : fields) all.add(name, value);
    return all;
}

TEST(HeadLimits, each_is_a_number_that_is_just_let_in) {
    const net::Headers two = headers({{"host", "a"}, {"x-long", "0123456789"}});
    EXPECT_TRUE(HeadLimits().admit(two));
    EXPECT_TRUE((HeadLimits{.fields = 2}.admit(two)));
    EXPECT_FALSE((HeadLimits{.fields = 1}.admit(two)));
    EXPECT_TRUE((HeadLimits{.field_bytes = 18}.admit(two)));
    EXPECT_FALSE((HeadLimits{.field_bytes = 17}.admit(two)));
    EXPECT_TRUE((HeadLimits{.bytes = 29}.admit(two)));
    EXPECT_FALSE((HeadLimits{.bytes = 28}.admit(two)));
}

/// One route, and what a request gets there whose head has so many fields more than the test's own.
int status_with(RouteScope::Build build, std::size_t fields, std::string path = "/a/b") {
    auto router = std::make_shared<Router>();
    build(*router);
    TestRequest request{.target = std::move(path)};
    for (std::size_t i = 0; i < fields; ++i) request.headers.emplace_back("x", "y");
    return TestClient(router).send(std::move(request)).status;
}

Response done(const Conn& conn) {
    return text(conn, 200, "done");
}

TEST(RouteLimits, the_innermost_that_says_something_counts) {
    auto build = [](RouteScope& top) {
        top.limits({.head_limits = {.fields = 3, .bytes = 2000}}, [](RouteScope& scope) {
            scope.get("/a", &done);
            scope.get("/a/wide", &done, {.head_limits = {.fields = 5}});
            scope.limits({.head_limits = {.fields = 2}},
                         [](RouteScope& inner) { inner.get("/a/b", &done); });
        });
        top.get("/free", &done);
    };
    EXPECT_EQ(status_with(build, 2, "/a"), 200);
    EXPECT_EQ(status_with(build, 3, "/a"), 431);
    EXPECT_EQ(status_with(build, 4, "/a/wide"), 200);
    EXPECT_EQ(status_with(build, 5, "/a/wide"), 431);
    EXPECT_EQ(status_with(build, 1, "/a/b"), 200);
    EXPECT_EQ(status_with(build, 2, "/a/b"), 431);
    EXPECT_EQ(status_with(build, 90, "/free"), 200);
}

TEST(RouteLimits, a_scope_bounds_bodies_and_time_too) {
    auto router = std::make_shared<Router>();
    auto slow = [](Conn conn) -> Task<Response> {
        co_await sleep(2s);
        co_return text(conn, 200, "slow");
    };
    router->limits({.body_limit = 4, .time_limit = 1s}, [&](RouteScope& scope) {
        scope.post("/body", &done);
        scope.post("/larger", &done, {.body_limit = 8});
        scope.get("/slow", slow);
        scope.get("/slower", slow, {.time_limit = 3s});
    });
    TestClient client(router);
    auto post = [&](std::string path, std::string body) {
        return client
            .send({.method = net::Method::post, .target = std::move(path), .body = std::move(body)})
            .status;
    };
    EXPECT_EQ(post("/body", "abcd"), 200);
    EXPECT_EQ(post("/body", "abcde"), 413);
    EXPECT_EQ(post("/larger", "abcdefgh"), 200);
    EXPECT_EQ(client.get("/slow").status, 504);
    EXPECT_EQ(client.get("/slower").status, 200);
}

TEST(RouteLimits, a_router_that_forwards_bounds_what_says_nothing) {
    Router inner;
    inner.get("/quiet", &done);
    inner.get("/own", &done, {.head_limits = {.fields = 4}});
    auto build = [&](RouteScope& top) {
        top.limits({.head_limits = {.fields = 2}},
                   [&](RouteScope& scope) { scope.forward("/in", inner); });
    };
    EXPECT_EQ(status_with(build, 2, "/in/quiet"), 431);
    EXPECT_EQ(status_with(build, 2, "/in/own"), 200);
}

std::shared_ptr<Router> served() {
    auto router = std::make_shared<Router>();
    router->plug(AccessLog{});
    router->plug([](Conn conn) { conn.put_header("x-first-plug", "ran"); });
    router->limits({.head_limits = {.fields = 3, .field_bytes = 60}},
                   [](RouteScope& scope) { scope.post("/narrow", &done); });
    router->post("/wide", &done);
    return router;
}

std::string post(std::string_view path, std::string_view more) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 7000000\r\n" +
           std::string(more) + "\r\n";
}

TEST(RouteLimits, what_is_over_is_answered_before_its_body_comes_on_both_wires) {
    LogCapture log;
    auto outcome = simulate({}, []() -> Task<Result<>> {
        auto endpoint = Endpoint::make({.port = 8000,
                                        .max_header_field = 100,
                                        .max_header_bytes = 300,
                                        .max_header_fields = 6},
                                       served())
                            .value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await require(
            co_await start<net::HttpServer>({}, endpoint->server_options(), handler));
        const SocketAddress address{"127.0.0.1", 8000};
        const std::string field = "x-f: " + std::string(70, 'x') + "\r\n";
        const std::string over_route[] = {post("/narrow", "x: 1\r\nx: 2\r\n"),
                                          post("/narrow", field)};
        for (const std::string& head : over_route) {
            auto client = (co_await start<net::RawClient>({}, address)).value();
            cast(client, net::RawClient::Send{head});
            const std::string answer = co_await call(client, net::RawClient::ReadAll{});
            EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
            EXPECT_TRUE(answer.contains("headers_too_large")) << answer;
            EXPECT_FALSE(answer.contains("x-first-plug")) << answer;
        }
        const std::string over_endpoint[] = {
            post("/wide", "x-f: " + std::string(100, 'x') + "\r\n"),
            post("/wide", field + field + field + field),
            post("/wide", "x: 1\r\nx: 2\r\nx: 3\r\nx: 4\r\nx: 5\r\n")};
        for (const std::string& head : over_endpoint) {
            const std::string answer = co_await net::exchange(address, head);
            EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
        }
        auto http2 = (co_await start<net::Http2Client>({}, address)).value();
        struct Row {
            const char* path;
            net::Http2Client::Fields more;
            int status;
        };
        const Row rows[] = {
            {"/narrow", {{"x", "1"}, {"x", "2"}, {"x", "3"}}, 431},
            {"/narrow", {{"x-f", std::string(70, 'x')}}, 431},
            {"/wide", {{"x-f", std::string(100, 'x')}}, 431},
            {"/wide",
             {{"x", "1"}, {"x", "2"}, {"x", "3"}, {"x", "4"}, {"x", "5"}, {"x", "6"}},
             431},
            {"/narrow", {{"x", "1"}}, 200},
        };
        for (const Row& row : rows) {
            net::Http2Client::Fields fields{{":method", "POST"}, {":path", row.path}};
            fields.insert(fields.end(), row.more.begin(), row.more.end());
            const auto stream =
                co_await call(http2, net::Http2Client::Begin{fields, row.status == 200});
            // The answer comes although the body does not.
            const auto answer = co_await call(
                http2, net::Http2Client::Await{stream, row.status == 200 ? "done" : "code"});
            EXPECT_EQ(answer.status, row.status) << row.path << " " << row.more.size();
            cast(http2, net::Http2Client::Reset{stream});
        }
        co_await stop_and_wait(server.pid(), 30s);
        co_return Result<>();
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
    EXPECT_TRUE(log.contains("path=/narrow status=431"));
}

TEST(EndpointLimits, are_read_from_the_configuration) {
    Json section = parse_json(R"({"max_request_line": 100, "max_header_field": 200,
                                  "max_header_bytes": 300, "max_header_fields": 4})")
                       .value();
    auto options = from_json<EndpointOptions>(section, {.absent = Absent::keep}).value();
    auto limits =
        Endpoint::make(options, std::make_shared<Router>()).value()->server_options().limits;
    EXPECT_EQ(limits.request_line, 100);
    EXPECT_EQ(limits.header_line, 200);
    EXPECT_EQ(limits.header_bytes, 300);
    EXPECT_EQ(limits.header_count, 4);
}

}  // namespace bennu::route_limits_test
