// What plugs refuse costs no transfer, on every route and over both wires.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/forgery.hpp"
#include "bennu/web/protect/rate_limit.hpp"
#include "bennu/web/served_site_test.hpp"

namespace bennu::body_after_plugs_test {

using namespace std::chrono_literals;

std::optional<Response> check_key(const Conn& conn) {
    if (conn.header("x-key") == "right") return std::nullopt;
    return error_status(conn, 401, "no_key", "A key is needed here.");
}

Response echo(const Conn& conn) {
    return text(conn, 200, "got " + conn.take_body() + std::string(conn.trailers().get("x-sum")));
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->plug(AccessLog{});
    router->scope("/api", {without_body(&check_key)},
                  [](RouteScope& api) { api.post("/items", &echo); });
    router->scope("", {ProtectFromForgery{}}, [](RouteScope& site) { site.post("/form", &echo); });
    router->scope("", {RateLimit({.rule = {.limit = 1, .per = 1h}})},
                  [](RouteScope& limited) { limited.post("/limited", &echo); });
    // It does not say that it can do without.
    Plug looks(
        [](const Conn& conn) { conn.put_header("x-saw", std::to_string(conn.body().size())); });
    router->scope("", {looks}, [](RouteScope& seen) { seen.post("/seen", &echo); });
    router->post("/one", &echo, {.max_concurrent = 1});
    router->post("/slow-one",
                 [](Conn conn) -> Task<Response> {
                     co_await sleep(10s);
                     co_return echo(conn);
                 },
                 {.max_concurrent = 1});
    return router;
}

void serve(SimOptions sim, Function<Task<>(SocketAddress)> client) {
    served_site_test::serve(sim, {}, make_router, std::move(client));
}

std::string head(std::string_view path, std::size_t length, std::string_view more = "") {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n" +
           std::string(more) + "\r\n";
}

using served_site_test::answer_to_head;

constexpr std::string_view foreign = "Sec-Fetch-Site: cross-site\r\n";

TEST(BodyAfterPlugs, what_a_plug_refuses_is_not_transferred) {
    LogCapture log;
    serve({}, [](SocketAddress address) -> Task<> {
        for (std::string more : {"", "Expect: 100-continue\r\n"}) {
            const std::string no_key =
                co_await answer_to_head(address, head("/api/items", 7'000'000, more));
            EXPECT_TRUE(no_key.starts_with("HTTP/1.1 401 ")) << no_key;
            const std::string forged = co_await answer_to_head(
                address, head("/form", 7'000'000, more + std::string(foreign)));
            EXPECT_TRUE(forged.starts_with("HTTP/1.1 403 ")) << forged;
        }
        const std::string first =
            co_await net::exchange(address, head("/limited", 2, "Connection: close\r\n") + "ab");
        EXPECT_TRUE(first.ends_with("got ab")) << first;
        const std::string limited = co_await answer_to_head(address, head("/limited", 7'000'000));
        EXPECT_TRUE(limited.starts_with("HTTP/1.1 429 ")) << limited;

        auto client = (co_await start<net::Http2Client>({}, address)).value();
        for (const char* path : {"/api/items", "/limited"}) {
            const auto stream =
                co_await call(client, net::Http2Client::Begin{{{":method", "POST"},
                                                               {":path", path},
                                                               {"content-length", "7000000"},
                                                               {"expect", "100-continue"}}});
            const auto answer = co_await call(client, net::Http2Client::Await{stream});
            EXPECT_EQ(answer.status, std::string_view(path) == "/limited" ? 429 : 401);
            EXPECT_TRUE(answer.informational.empty());
        }
    });
    EXPECT_TRUE(log.contains("path=/api/items status=401"));
    EXPECT_TRUE(log.contains("path=/form status=403"));
}

BENNU_SIM_TEST(BodyAfterPlugs, who_gets_through_is_told_to_send_it, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto client = (co_await start<net::RawClient>({}, address)).value();
        cast(client, net::RawClient::Send{head("/api/items", 5,
                                               "X-Key: right\r\nExpect: 100-continue\r\n"
                                               "Connection: close\r\n")});
        const std::string told =
            co_await call(client, net::RawClient::ReadUntil{"100 Continue\r\n\r\n"});
        EXPECT_TRUE(told.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) << told;
        cast(client, net::RawClient::Send{"hello"});
        const std::string answer = co_await call(client, net::RawClient::ReadAll{});
        EXPECT_TRUE(answer.ends_with("got hello")) << answer;

        auto http2 = (co_await start<net::Http2Client>({}, address)).value();
        const auto stream = co_await call(
            http2, net::Http2Client::Begin{
                       {{":method", "POST"}, {":path", "/api/items"}, {"x-key", "right"}}});
        co_await sleep(1s);
        cast(http2, net::Http2Client::Send{stream, "hello", true, {{"x-sum", "7"}}});
        EXPECT_EQ((co_await call(http2, net::Http2Client::Await{stream})).body, "got hello7");
    });
}

BENNU_SIM_TEST(BodyAfterPlugs, a_plug_that_may_look_at_it_finds_it_and_trailers_come_along, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string chunked =
            "POST /seen HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            "Transfer-Encoding: chunked\r\n\r\n";
        const std::string body = "5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n";
        const std::string at_once = co_await net::exchange(address, chunked + body);
        auto client = (co_await start<net::RawClient>({}, address)).value();
        cast(client, net::RawClient::Send{chunked + body.substr(0, 5)});
        co_await sleep(1s);
        cast(client, net::RawClient::Send{body.substr(5)});
        const std::string later = co_await call(client, net::RawClient::ReadAll{});
        for (const std::string& answer : {at_once, later}) {
            EXPECT_TRUE(answer.contains("x-saw: 5\r\n")) << answer;
            EXPECT_TRUE(answer.ends_with("got hello7")) << answer;
        }
    });
}

BENNU_SIM_TEST(BodyAfterPlugs, what_comes_wrong_or_not_at_all_is_refused_as_ever, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string chunked =
            "POST /seen HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        struct Row {
            std::vector<std::string> pieces;
            std::string_view status, code;
        };
        const Row rows[] = {
            {{head("/seen", 100) + "a"}, "408 ", "request_timeout"},
            {{chunked, "nonsense\r\n"}, "400 ", "bad_chunk"},
            {{chunked, "1\r\na\r\n0\r\nx: " + std::string(5000, 'x')}, "431 ", "headers_too_large"},
            {{chunked + "7A1201\r\n", std::string(8'000'001, 'a')}, "413 ", "body_too_large"},
            {{head("/seen", 8'000'001)}, "413 ", "body_too_large"},
        };
        for (const Row& row : rows) {
            auto client = (co_await start<net::RawClient>({}, address)).value();
            for (const std::string& piece : row.pieces) {
                cast(client, net::RawClient::Send{piece});
                co_await sleep(1s);
            }
            const std::string got =
                co_await call(client, net::RawClient::ReadAll{}, {.timeout = 120s});
            EXPECT_TRUE(got.starts_with("HTTP/1.1 " + std::string(row.status))) << got;
            EXPECT_TRUE(got.contains(row.code)) << got;
        }
    });
}

BENNU_SIM_TEST(BodyAfterPlugs, who_is_still_sending_takes_nobodys_place, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto sender = (co_await start<net::RawClient>({}, address)).value();
        cast(sender, net::RawClient::Send{head("/one", 5, "Connection: close\r\n") + "h"});
        auto http2 = (co_await start<net::Http2Client>({}, address)).value();
        const auto stream =
            co_await call(http2, net::Http2Client::Begin{{{":method", "POST"}, {":path", "/one"}}});
        co_await sleep(1s);
        const std::string other =
            co_await net::exchange(address, head("/one", 2, "Connection: close\r\n") + "ab");
        EXPECT_TRUE(other.ends_with("got ab")) << other;
        cast(sender, net::RawClient::Send{"ello"});
        const std::string answer = co_await call(sender, net::RawClient::ReadAll{});
        EXPECT_TRUE(answer.ends_with("got hello")) << answer;
        cast(http2, net::Http2Client::Send{stream, "two", true});
        EXPECT_EQ((co_await call(http2, net::Http2Client::Await{stream})).body, "got two");
        // Whose body is there when the place is taken is turned away after all.
        auto late = (co_await start<net::RawClient>({}, address)).value();
        cast(late, net::RawClient::Send{head("/slow-one", 5, "Connection: close\r\n") + "h"});
        auto first = (co_await start<net::RawClient>({}, address)).value();
        cast(first, net::RawClient::Send{head("/slow-one", 1, "Connection: close\r\n") + "a"});
        co_await sleep(1s);
        cast(late, net::RawClient::Send{"ello"});
        const std::string busy = co_await call(late, net::RawClient::ReadAll{});
        EXPECT_TRUE(busy.starts_with("HTTP/1.1 503 ")) << busy;
        const std::string done = co_await call(first, net::RawClient::ReadAll{}, {.timeout = 60s});
        EXPECT_TRUE(done.ends_with("got a")) << done;
    });
}

}  // namespace bennu::body_after_plugs_test
