#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "bennu/web/download.hpp"
#include "bennu/web/method_override.hpp"
#include "bennu/web/source_excerpt.hpp"
#include "bennu/web/testing.hpp"

namespace bennu {
namespace web_controllers_test {

using namespace std::chrono_literals;

TEST(Download, file_names_go_along_in_both_forms) {
    struct Row {
        std::string_view name, expected;
    };
    const Row rows[] = {
        {"report.csv", "attachment; filename=\"report.csv\""},
        {"a b;c=d.txt", "attachment; filename=\"a b;c=d.txt\""},
        {"naïve.csv", "attachment; filename=\"na_ve.csv\"; filename*=UTF-8''na%C3%AFve.csv"},
        {"€ 10.csv", "attachment; filename=\"_ 10.csv\"; filename*=UTF-8''%E2%82%AC%2010.csv"},
        {"say \"hi\".txt",
         "attachment; filename=\"say _hi_.txt\"; "
         "filename*=UTF-8''say%20%22hi%22.txt"},
        {"100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"},
        {"../../etc/passwd", "attachment; filename=\".._.._etc_passwd\""},
        {"a\r\nset-cookie: b", "attachment; filename=\"a__set-cookie: b\""},
        {"c:\\x", "attachment; filename=\"c:_x\""},
        {"\xff\xfe.bin", "attachment; filename=\"__.bin\""},
        {"..", "attachment; filename=\"download\""},
        {"", "attachment; filename=\"download\""},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(content_disposition(Disposition::attachment, row.name), row.expected) << row.name;
    }
    EXPECT_EQ(content_disposition(Disposition::inline_, "a.pdf"), "inline; filename=\"a.pdf\"");
}

TEST(Download, runs_nothing_in_the_site) {
    auto router = std::make_shared<Router>();
    router->get("/export", [](Conn conn) {
        return send_download(conn, "<script>alert(1)</script>", {.filename = "x.html"});
    });
    TestResponse response = TestClient(router).get("/export");
    EXPECT_EQ(response.body, "<script>alert(1)</script>");
    EXPECT_EQ(response.header("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(response.header("content-disposition"), "attachment; filename=\"x.html\"");
    EXPECT_EQ(response.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.header("content-security-policy"), "default-src 'none'; sandbox");
}

TEST(MethodOverride, routes_forms_as_what_they_mean) {
    auto router = std::make_shared<Router>();
    router->plug(MethodOverride{});
    auto say = [](std::string word) { return [word](Conn conn) { return text(conn, 200, word); }; };
    router->get("/a/:id", say("get"));
    router->post("/a/:id", say("post"));
    router->put("/a/:id", say("put"));
    router->delete_("/a/:id", [](Conn conn) {
        return text(conn, 200, "delete " + std::string(conn.param("id")));
    });
    TestClient client(router);
    auto send = [&](std::string body, std::string type = "application/x-www-form-urlencoded",
                    net::Method method = net::Method::post) {
        return client.send({.method = method,
                            .target = "/a/7",
                            .headers = {{"content-type", std::move(type)}},
                            .body = std::move(body)});
    };
    EXPECT_EQ(send("_method=put").body, "put");
    EXPECT_EQ(send("_method=DELETE").body, "delete 7");
    EXPECT_EQ(
        send("--b\r\ncontent-disposition: form-data; name=\"_method\"\r\n\r\nput\r\n--b--\r\n",
             "multipart/form-data; boundary=b")
            .body,
        "put");
    EXPECT_EQ(send("_method=patch").status, 405);
    for (const char* body : {"_method=get", "_method=connect", "_method[]=put", "a=b", "", "%"}) {
        EXPECT_EQ(send(body).body, "post") << body;
    }
    EXPECT_EQ(send(R"({"_method":"put"})", "application/json").body, "post");
    EXPECT_EQ(send("_method=delete", "application/x-www-form-urlencoded", net::Method::put).body,
              "put");
    EXPECT_EQ(client.send({.target = "/a/7?_method=delete"}).body, "get");
}

TEST(Body, that_is_compressed_is_415) {
    auto router = std::make_shared<Router>();
    router->post("/", [](Conn conn) { return json(conn, conn.body_params()); });
    TestClient client(router);
    auto send = [&](std::string encoding) {
        return client.send({.method = net::Method::post,
                            .headers = {{"content-type", "application/json"},
                                        {"content-encoding", std::move(encoding)}},
                            .body = "{}"});
    };
    EXPECT_EQ(send("gzip").status, 415);
    EXPECT_EQ(send("Identity").status, 200);
}

TEST(TimeLimit, ends_an_action_with_504) {
    int left = 0;
    struct Leaves {
        int& count;
        ~Leaves() { ++count; }
    };
    auto router = std::make_shared<Router>();
    auto work = [&left](Conn conn) -> Task<Response> {
        Leaves leaves{left};
        co_await sleep(conn.query<Duration>("for").value());
        co_return text(conn, 200, "done");
    };
    router->get("/limited", work, {.time_limit = 2s});
    router->get("/free", work);
    router->get("/crash",
                [](Conn) -> Task<Response> {
                    co_await sleep(1s);
                    throw std::runtime_error("told to");
                },
                {.time_limit = 2s});
    TestClient client(router);
    EXPECT_EQ(client.get("/limited?for=1s").body, "done");
    TestResponse late = client.get("/limited?for=3s");
    EXPECT_EQ(late.status, 504);
    EXPECT_TRUE(late.body.contains("timeout"));
    EXPECT_EQ(left, 2);
    EXPECT_EQ(client.get("/free?for=1m").body, "done");
    EXPECT_EQ(client.get("/crash").status, 500);
}

/// Counts starts; its second half suspends and changes the response.
struct StampingPlug {
    explicit StampingPlug(int* count) : starts(count) {}
    Result<> start(const EndpointOptions& options) {
        ++*starts;
        host = options.host;
        if (host == "broken") return Error(ErrorKind::invalid, "no", "not here");
        return {};
    }
    Task<> after(Conn conn, Response& response) const {
        co_await sleep(1s);
        if (conn.path() == "/after-crash") throw std::runtime_error("told to");
        response.headers.set("x-stamp", host);
    }
    int* starts;
    std::string host;
};

TEST(Plug, is_started_once_and_may_suspend_after_the_action) {
    int starts = 0;
    auto router = std::make_shared<Router>();
    Plug stamp = StampingPlug(&starts);
    auto done = [](Conn conn) { return text(conn, 200, "done"); };
    router->scope("", {stamp}, [&](RouteScope& scope) {
        scope.get("/", done);
        scope.get("/after-crash", done, {.plugs = {stamp}});
    });
    TestClient client(router, {.host = "here"});
    EXPECT_EQ(starts, 1);
    EXPECT_EQ(client.get("/").header("x-stamp"), "here");
    EXPECT_EQ(client.get("/after-crash").status, 500);
    auto broken = Endpoint::make({.host = "broken"}, router);
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code(), "no");
}

TEST(SourceExcerpt, shows_the_lines_around) {
    const std::string path = testing::TempDir() + "excerpt_" + std::to_string(getpid()) + ".cpp";
    std::ofstream(path) << "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
    std::vector<std::string> lines = source_excerpt(path + ":3 Task<> f()");
    std::vector<std::string> last = source_excerpt(path + ":7");
    std::remove(path.c_str());
    EXPECT_EQ(lines, (std::vector<std::string>{"      1  one", "      2  two", ">     3  three",
                                               "      4  four", "      5  five", "      6  six"}));
    EXPECT_EQ(last, (std::vector<std::string>{"      4  four", "      5  five", "      6  six",
                                              ">     7  seven"}));
}

TEST(SourceExcerpt, of_what_is_not_there_is_nothing) {
    for (const char* await : {"", "x", "/nowhere.cpp:3 f", "/nowhere.cpp:0", ":", "a:b"}) {
        EXPECT_TRUE(source_excerpt(await).empty()) << await;
    }
}

}  // namespace web_controllers_test
}  // namespace bennu
