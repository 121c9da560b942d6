#include "bennu/web/event_stream.hpp"

#include <gtest/gtest.h>

#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::event_stream_test {

using namespace std::chrono_literals;

TEST(EventStream, events_are_written_as_the_standard_reads_them) {
    struct Row {
        ServerEvent event;
        std::string text;
    };
    const Row rows[] = {
        {{.data = "hi"}, "data: hi\n\n"},
        {{.data = ""}, "data: \n\n"},
        {{.data = "a\nb\r\nc\rd\n"}, "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"},
        {{.data = " x", .event = "add", .id = "7", .retry = 1500ms},
         "id: 7\nevent: add\nretry: 1500\ndata:  x\n\n"},
    };
    for (const Row& row : rows) EXPECT_EQ(format_event(row.event), row.text);
    EXPECT_THROW(format_event({.id = "1\ndata: x"}), std::invalid_argument);
    EXPECT_THROW(format_event({.event = "a\rb"}), std::invalid_argument);
    EXPECT_THROW(format_event({.id = std::string("a\0b", 3)}), std::invalid_argument);
}

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->get("/events", [](Conn conn) {
        return sse(
            conn,
            [](EventWriter out) -> Task<Result<>> {
                co_await require(out.send({.data = "after " + std::string(out.last_event_id())}));
                co_await sleep(40s);
                co_await require(out.send({.data = "late", .id = "8"}));
                co_return Result<>();
            },
            {.retry = 2s});
    });
    router->get("/csv", [](Conn conn) {
        return stream(conn, 200, "text/csv", [](net::BodyWriter out) -> Task<Result<>> {
            for (int i = 0; i < 3; ++i)
                co_await require(out.write(std::to_string(i) + "," + std::to_string(i * i) + "\n"));
            co_return Result<>();
        });
    });
    router->post("/upload",
                 [](Conn conn) -> Task<Response> {
                     std::size_t size = 0, pieces = 0;
                     while (auto piece = (co_await conn.body_reader().next()).value()) {
                         size += piece->size();
                         ++pieces;
                     }
                     co_return text(conn, 200,
                                    std::to_string(size) + (pieces > 1 ? " in pieces" : ""));
                 },
                 {.body_limit = 50'000'000, .stream_body = true});
    return router;
}

TEST(EventStream, test_clients_see_what_was_streamed) {
    TestClient client(make_router());
    EXPECT_EQ(client.get("/csv").body, "0,0\n1,1\n2,4\n");
    EXPECT_EQ(client.get("/csv").header("content-type"), "text/csv");
    auto upload = client.send(
        {.method = net::Method::post, .target = "/upload", .body = std::string(1'000, 'u')});
    EXPECT_EQ(upload.body, "1000 in pieces");
}

BENNU_SIM_TEST(EventStream, carries_events_a_heartbeat_and_the_last_id, sim) {
    std::string answer, upload;
    auto outcome = simulate(sim, [&]() -> Task<Result<>> {
        auto endpoint = Endpoint::make({.port = 8000}, make_router()).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        SocketAddress address{"127.0.0.1", 8000};
        answer = co_await net::exchange(
            address,
            "GET /events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 7\r\nConnection: close\r\n\r\n");
        upload = co_await net::exchange(address,
                                        "POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                                        "Content-Length: 10000000\r\n\r\n" +
                                            std::string(10'000'000, 'u'));
        co_await stop_and_wait(server->pid(), 30s);
        co_return Result<>();
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_TRUE(upload.contains("10000000 in pieces")) << upload;
    EXPECT_TRUE(answer.contains("content-type: text/event-stream\r\n"));
    EXPECT_TRUE(answer.contains("retry: 2000\n\n"));
    EXPECT_TRUE(answer.contains("data: after 7\n\n"));
    EXPECT_TRUE(answer.contains(":\n\n"));
    EXPECT_TRUE(answer.contains("id: 8\ndata: late\n\n"));
    EXPECT_TRUE(answer.ends_with("0\r\n\r\n"));
    EXPECT_LT(outcome.virtual_time, 60s);
}

Response report(const Conn& conn) {
    auto write = [](net::BodyWriter out) -> Task<Result<>> {
        co_await require(out.write("a,b\n"));
        out.trailer("x-rows", "1");
        co_return {};
    };
    return stream(conn, 200, "text/csv", write).with_header("trailer", "x-rows");
}

TEST(Stream, says_more_after_its_text) {
    auto router = std::make_shared<Router>();
    router->get("/report", &report);
    const TestResponse response = TestClient(router).get("/report");
    EXPECT_EQ(response.body, "a,b\n");
    EXPECT_EQ(response.trailers.get("x-rows"), "1");
}

}  // namespace bennu::event_stream_test
