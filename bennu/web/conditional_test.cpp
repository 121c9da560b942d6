#include "bennu/web/conditional.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/send_file.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::conditional_test {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr const char* modified = "Sun, 06 Nov 1994 08:49:37 GMT";

std::shared_ptr<Router> make_router(std::string file) {
    auto router = std::make_shared<Router>();
    router->get("/text", [](Conn conn) {
        Response response = text(conn, 200, "0123456789");
        response.headers.add("etag", "\"v1\"");
        response.headers.add("last-modified", modified);
        apply_conditions(conn, response);
        return response;
    });
    router->get("/weak", [](Conn conn) {
        Response response = text(conn, 200, "0123456789");
        response.headers.add("etag", "W/\"v1\"");
        apply_conditions(conn, response);
        return response;
    });
    router->get("/file",
                [file](Conn conn) -> Task<Response> { co_return co_await send_file(conn, file); });
    router->get("/saved", [file](Conn conn) -> Task<Response> {
        co_return co_await send_file(conn, file, {.filename = "r\xc3\xa9sum\xc3\xa9 \"1\".txt"});
    });
    router->get("/gone", [](Conn conn) -> Task<Response> {
        co_return co_await send_file(conn, "/nonexistent/x");
    });
    return router;
}

struct ConditionalTest : testing::Test {
    ConditionalTest() { std::ofstream(path) << std::string(100'000, 'f') + "end"; }
    ~ConditionalTest() override { std::filesystem::remove(path); }
    std::string path = testing::TempDir() + "conditional_test." + std::to_string(::getpid());
    TestClient client{make_router(path)};
};

// Precedence and comparisons of RFC 9110, 13.1 and 13.2.2.
TEST_F(ConditionalTest, preconditions_in_their_order) {
    const std::string earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
    const std::string later = "Sun, 06 Nov 1994 08:49:38 GMT";
    struct Row {
        std::string target;
        Fields headers;
        int status;
    };
    const Row rows[] = {
        {"/text", {}, 200},
        {"/text", {{"if-match", "\"v1\""}}, 200},
        {"/text", {{"if-match", "\"v0\", \"v1\""}}, 200},
        {"/text", {{"if-match", "*"}}, 200},
        {"/text", {{"if-match", "\"v0\""}}, 412},
        {"/text", {{"if-match", "W/\"v1\""}}, 412},
        {"/weak", {{"if-match", "W/\"v1\""}}, 412},
        {"/weak", {{"if-match", "\"v1\""}}, 412},
        {"/text", {{"if-unmodified-since", later}}, 200},
        {"/text", {{"if-unmodified-since", modified}}, 200},
        {"/text", {{"if-unmodified-since", earlier}}, 412},
        {"/text", {{"if-unmodified-since", "yesterday"}}, 200},
        {"/text", {{"if-match", "\"v1\""}, {"if-unmodified-since", earlier}}, 200},
        {"/text", {{"if-none-match", "\"v1\""}}, 304},
        {"/text", {{"if-none-match", "W/\"v1\""}}, 304},
        {"/weak", {{"if-none-match", "\"v1\""}}, 304},
        {"/text", {{"if-none-match", "\"a,b\", \"v1\""}}, 304},
        {"/text", {{"if-none-match", "\"v0\""}}, 200},
        {"/text", {{"if-none-match", "v1"}}, 200},
        {"/text", {{"if-modified-since", modified}}, 304},
        {"/text", {{"if-modified-since", later}}, 304},
        {"/text", {{"if-modified-since", earlier}}, 200},
        {"/text", {{"if-none-match", "\"v0\""}, {"if-modified-since", later}}, 200},
        {"/text", {{"if-match", "\"v0\""}, {"if-none-match", "\"v1\""}}, 412},
        {"/weak", {{"if-modified-since", later}}, 200},
        {"/text", {{"if-none-match", "\"v1\""}, {"range", "bytes=0-1"}}, 304},
    };
    for (const Row& row : rows) {
        auto response = client.send({.target = row.target, .headers = row.headers});
        EXPECT_EQ(response.status, row.status)
            << row.headers.size() << (row.headers.empty() ? "" : row.headers[0].second);
        if (row.status == 304) {
            EXPECT_EQ(response.body, "");
            EXPECT_FALSE(response.header("etag").empty());
            EXPECT_TRUE(response.header("content-type").empty());
        }
    }
    auto head = client.send(
        {.method = net::Method::head, .target = "/text", .headers = {{"if-none-match", "\"v1\""}}});
    EXPECT_EQ(head.status, 304);
}

TEST_F(ConditionalTest, ranges_and_their_condition) {
    struct Row {
        Fields headers;
        int status;
        std::string body;
        std::string content_range;
    };
    const Row rows[] = {
        {{{"range", "bytes=0-3"}}, 206, "0123", "bytes 0-3/10"},
        {{{"range", "bytes=7-"}}, 206, "789", "bytes 7-9/10"},
        {{{"range", "bytes=-2"}}, 206, "89", "bytes 8-9/10"},
        {{{"range", "bytes=0-99"}}, 206, "0123456789", "bytes 0-9/10"},
        {{{"range", "bytes=0-1,4-5"}}, 200, "0123456789", ""},
        {{{"range", "lines=0-1"}}, 200, "0123456789", ""},
        {{{"range", "bytes=0-3"}, {"if-range", "\"v1\""}}, 206, "0123", "bytes 0-3/10"},
        {{{"range", "bytes=0-3"}, {"if-range", "\"v0\""}}, 200, "0123456789", ""},
        {{{"range", "bytes=0-3"}, {"if-range", "W/\"v1\""}}, 200, "0123456789", ""},
        {{{"range", "bytes=0-3"}, {"if-range", modified}}, 206, "0123", "bytes 0-3/10"},
        {{{"range", "bytes=0-3"}, {"if-range", "Sun, 06 Nov 1994 08:49:38 GMT"}},
         200,
         "0123456789",
         ""},
        {{{"range", "bytes=99-"}, {"if-range", "\"v0\""}}, 200, "0123456789", ""},
    };
    for (const Row& row : rows) {
        auto response = client.send({.target = "/text", .headers = row.headers});
        EXPECT_EQ(response.status, row.status) << row.headers[0].second;
        EXPECT_EQ(response.body, row.body) << row.headers[0].second;
        EXPECT_EQ(response.header("content-range"), row.content_range);
        EXPECT_EQ(response.header("accept-ranges"), "bytes");
    }
    auto beyond = client.send({.target = "/text", .headers = {{"range", "bytes=10-"}}});
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.header("content-range"), "bytes */10");
    auto head = client.send(
        {.method = net::Method::head, .target = "/text", .headers = {{"range", "bytes=0-3"}}});
    EXPECT_EQ(head.status, 200);
}

TEST_F(ConditionalTest, files_are_sent_with_what_caches_need) {
    auto whole = client.get("/file");
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body.size(), 100'003u);
    std::string tag(whole.header("etag")), date(whole.header("last-modified"));
    EXPECT_EQ(client.send({.target = "/file", .headers = {{"if-none-match", tag}}}).status, 304);
    EXPECT_EQ(client.send({.target = "/file", .headers = {{"if-modified-since", date}}}).status,
              304);
    auto part = client.send({.target = "/file", .headers = {{"range", "bytes=-3"}}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "end");
    EXPECT_EQ(client.get("/gone").status, 404);
    EXPECT_EQ(client.get("/saved").header("content-disposition"),
              "attachment; filename=\"r_sum_ _1_.txt\"; "
              "filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.txt");
    EXPECT_EQ(client.get("/saved").header("content-type"), "text/plain; charset=utf-8");
}

TEST_F(ConditionalTest, a_resumed_download_is_the_file) {
    std::string answers;
    simulate({}, [&]() -> Task<Result<>> {
        auto endpoint = Endpoint::make({.port = 8000}, make_router(path)).value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        answers =
            co_await net::exchange({"127.0.0.1", 8000},
                                   "GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=99999-\r\n\r\n"
                                   "GET /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        co_await stop_and_wait(server->pid(), std::chrono::seconds(30));
        co_return Result<>();
    });
    EXPECT_TRUE(answers.contains("HTTP/1.1 206 Partial Content\r\n")) << answers;
    EXPECT_TRUE(answers.contains("content-range: bytes 99999-100002/100003\r\n")) << answers;
    EXPECT_TRUE(answers.contains("content-length: 4\r\n")) << answers;
    EXPECT_TRUE(answers.contains("fendHTTP/1.1 200 OK")) << answers;
}

}  // namespace bennu::conditional_test
