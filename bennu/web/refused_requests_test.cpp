// Requests that the server answers itself are in the log and counted, over both wires.
#include "bennu/web/refused_requests.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/served_site_test.hpp"

namespace bennu::web_refused_requests_test {

using namespace std::chrono_literals;

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->post("/items", [](Conn conn) { return text(conn, 200, "ok"); });
    router->post("/reset/:token", [](Conn conn) { return text(conn, 200, "ok"); });
    return router;
}

void serve(Function<Task<>(SocketAddress)> client) {
    served_site_test::serve({.shards = 1}, {.max_body = 1000}, make_router, std::move(client));
}

Task<std::string> answer(SocketAddress address, std::string bytes) {
    auto client = (co_await start<net::RawClient>({}, address)).value();
    cast(client, net::RawClient::Send{std::move(bytes)});
    co_return co_await call(client, net::RawClient::ReadAll{}, {.timeout = 60s});
}

TEST(RefusedRequests, have_their_lines_and_events_over_http_1) {
    struct Row {
        std::string bytes;
        std::string_view line;
    };
    const std::string post = "POST /items?token=abc HTTP/1.1\r\nHost: a\r\n";
    const Row rows[] = {
        {"nonsense\r\n\r\n", "method=nonsense path="},
        {"GET / HTTP/x.y\r\n\r\n", "method=GET path=/ status=400 "},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "method=GET path=/ status=505 "},
        {"GET /a?token=abc HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n",
         "method=GET path=/a status=400 "},
        {"GET /" + std::string(9000, 'a'), "status=414 "},
        {"GET /b HTTP/1.1\r\nx: " + std::string(9000, 'a'), "method=GET path=/b status=431 "},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "method=CONNECT path=a:1 status=501 "},
        {"GET /slow HTTP/1.1\r\nHo", "method=GET path=/slow status=408 "},
        {post + "Content-Length: 1001\r\n\r\n", "method=POST path=/items status=413 "},
        {post + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", "path=/items status=400 "},
        {"POST /reset/s3cret HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
         "path=/reset/:token status=413 "},
        {"GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n", "method=GET path=/ status=400 "},
    };
    for (const Row& row : rows) {
        LogCapture log;
        int stopped = 0, refused = 0;
        Subscription stops =
            subscribe_events("web.request.stop", [&](const EventView&) { ++stopped; });
        Subscription refusals =
            subscribe_events("net.request.refused", [&](const EventView&) { ++refused; });
        std::string got;
        serve([&](SocketAddress address) -> Task<> { got = co_await answer(address, row.bytes); });
        const bool there = std::ranges::any_of(log.lines(), [&](const std::string& line) {
            return line.contains("info request ") && line.contains(row.line) &&
                   line.contains("peer=127.0.0.1");
        });
        std::string lines;
        for (const std::string& line : log.lines()) lines += line + "\n";
        EXPECT_TRUE(there) << row.line << "\n" << lines << got;
        EXPECT_FALSE(log.contains("abc")) << lines;
        EXPECT_FALSE(log.contains("s3cret")) << lines;
        EXPECT_FALSE(log.contains("\x1b")) << lines;
        EXPECT_EQ(stopped, 1) << row.line;
        EXPECT_EQ(refused, 1) << row.line;
    }
}

TEST(RefusedRequests, have_their_lines_over_http_2) {
    LogCapture log;
    serve([](SocketAddress address) -> Task<> {
        auto client = (co_await start<net::Http2Client>({}, address)).value();
        using Ask = net::Http2Client::Ask;
        auto status = [&](net::Http2Client::Fields fields) -> Task<int> {
            co_return (co_await call(client, Ask{std::move(fields)})).status;
        };
        EXPECT_EQ(co_await status({{":path", "/long?token=abc"}, {"x", std::string(9000, 'a')}}),
                  431);
        EXPECT_EQ(co_await status({{":path", "/" + std::string(9000, 'a')}}), 414);
        EXPECT_EQ(co_await status({{":path", "/under"}, {"a_b", "c"}}), 400);
        const auto large = co_await call(
            client, net::Http2Client::Begin{
                        {{":method", "POST"}, {":path", "/items"}, {"content-length", "1001"}}});
        EXPECT_EQ((co_await call(client, net::Http2Client::Await{large})).status, 413);
    });
    EXPECT_TRUE(log.contains("method=GET path=/long status=431"));
    EXPECT_TRUE(log.contains("status=414"));
    EXPECT_TRUE(log.contains("method=GET path=/under status=400"));
    EXPECT_TRUE(log.contains("method=POST path=/items status=413"));
    EXPECT_FALSE(log.contains("abc"));
}

TEST(RefusedRequests, do_not_fill_the_log_and_are_all_counted) {
    LogCapture log;
    int stopped = 0;
    Subscription stops = subscribe_events("web.request.stop", [&](const EventView&) { ++stopped; });
    serve([](SocketAddress address) -> Task<> {
        for (int i = 0; i < 300; ++i) (void)co_await answer(address, "nonsense\r\n\r\n");
        co_await sleep(2s);
        (void)co_await answer(address, "last\r\n\r\n");
    });
    EXPECT_EQ(stopped, 301);
    const auto lines = std::ranges::count_if(
        log.lines(), [](const std::string& line) { return line.contains("info request "); });
    EXPECT_GE(lines, 50);
    EXPECT_LT(lines, 150);
    EXPECT_TRUE(std::ranges::any_of(log.lines(), [](const std::string& line) {
        return line.contains("info request ") && !line.contains("others=0");
    }));
}

}  // namespace bennu::web_refused_requests_test
