#include "bennu/web/development/live_reload.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "bennu/net/testing.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/compress_responses.hpp"
#include "bennu/web/development/build_status.hpp"
#include "bennu/web/development/content_policy.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::live_reload_test {

using namespace std::chrono_literals;

TEST(BuildStatus, is_a_version_a_state_and_what_the_compiler_said) {
    EXPECT_EQ(parse_build_status("7 ok\n").value(), BuildStatus{.version = 7});
    EXPECT_EQ(parse_build_status("8 building").value(),
              (BuildStatus{.version = 8, .state = BuildStatus::State::building}));
    EXPECT_EQ(
        parse_build_status("8 failed\na.cpp:1: error: no\n").value(),
        (BuildStatus{
            .version = 8, .state = BuildStatus::State::failed, .output = "a.cpp:1: error: no\n"}));
    for (const char* wrong : {"", "\n", "x", "7", "7 ", "7 good", "-1 ok", "7ok", "ok", "7  ok"})
        EXPECT_FALSE(parse_build_status(wrong)) << wrong;
    EXPECT_EQ(read_build_status("/no/such/file").error().kind(), ErrorKind::not_found);
}

TEST(ContentPolicy, own_scripts_and_connections_are_let_in_whatever_else_is_not) {
    struct Row {
        std::string_view before, after;
    };
    const Row rows[] = {
        {"default-src 'none'", "default-src 'none'; script-src 'self'; connect-src 'self'"},
        {"default-src 'self'; script-src 'none'",
         "default-src 'self'; script-src 'self'; connect-src 'self'"},
        {"script-src 'nonce-abc' 'strict-dynamic'",
         "script-src 'nonce-abc' 'strict-dynamic' 'self'"},
        {"script-src-elem https://a; connect-src 'self' https://b",
         "script-src-elem https://a 'self'; connect-src 'self' https://b"},
        {"img-src *;; SANDBOX", "img-src *; sandbox"},
        {"", ""},
    };
    for (const Row& row : rows) EXPECT_EQ(allow_own_site(row.before), row.after);
    EXPECT_EQ(script_nonce("script-src 'self' 'nonce-abc'; x"), "abc");
    EXPECT_EQ(script_nonce("script-src 'self'"), "");
}

/// The file that the development loop writes.
class StatusFile {
  public:
    explicit StatusFile(std::string_view text)
        : path_(std::filesystem::temp_directory_path() /
                ("bennu-build-status-" + std::to_string(::getpid()))) {
        write(text);
    }
    ~StatusFile() { std::filesystem::remove(path_); }
    StatusFile(const StatusFile&) = delete;

    void write(std::string_view text) const { std::ofstream(path_) << text; }
    std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

std::shared_ptr<Router> make_router(std::string status_file) {
    auto router = std::make_shared<Router>();
    router->plug(LiveReload{{.status_file = std::move(status_file)}});
    router->plug(CompressResponses{{.at_least = 1}});
    router->plug(SecureHeaders{});
    router->get("/page", [](Conn conn) {
        return html(conn, 200, "<!doctype html><html><body><p>Hi</p></body></html>")
            .with_header("etag", "\"1\"");
    });
    router->get("/piece", [](Conn conn) { return html(conn, 200, "<p>Hi</p>"); });
    router->get("/json", [](Conn conn) { return json(conn, Json::object({{"a", "</body>"}})); });
    return router;
}

const std::string tag = R"(<script src="/bennu/live-reload.js?version=7"></script></body>)";

TEST(LiveReload, pages_get_its_script_and_may_run_it) {
    StatusFile file("7 ok\n");
    TestClient client(make_router(file.path()), {.hosts = {"*"}, .environment = Environment::dev});
    client.set_header("accept", "text/html");
    client.set_header("accept-encoding", "gzip");
    const TestResponse page = client.get("/page");
    EXPECT_EQ(page.body, "<!doctype html><html><body><p>Hi</p>" + tag + "</html>");
    EXPECT_EQ(page.header("etag"), "");
    EXPECT_EQ(page.header("cache-control"), "no-store");
    // An error page, whose policy allows no script of its own.
    const TestResponse lost = client.get("/nowhere");
    EXPECT_EQ(lost.status, 404);
    EXPECT_TRUE(lost.body.contains(tag));
    EXPECT_TRUE(lost.header("content-security-policy").contains("script-src 'self'"));
    EXPECT_TRUE(lost.header("content-security-policy").contains("connect-src 'self'"));
    // What is no page stays as it is.
    EXPECT_EQ(client.get("/piece").body, "<p>Hi</p>");
    EXPECT_FALSE(client.get("/json").body.contains("script"));
    const TestResponse script = client.get("/bennu/live-reload.js");
    EXPECT_EQ(script.header("content-type"), "text/javascript");
    EXPECT_TRUE(script.body.contains("EventSource"));
}

TEST(LiveReload, is_nothing_outside_of_development_or_without_a_loop) {
    StatusFile file("7 ok\n");
    const EndpointOptions production{.environment = Environment::prod};
    for (const auto& [path, options] :
         {std::pair(file.path(), production),
          std::pair(std::string(),
                    EndpointOptions{.hosts = {"*"}, .environment = Environment::dev})}) {
        TestClient client(make_router(path), options);
        EXPECT_FALSE(client.get("/page").body.contains("live-reload"));
        EXPECT_EQ(client.get("/bennu/live-reload").status, 404);
        EXPECT_EQ(client.get("/bennu/live-reload.js").status, 404);
    }
    // A loop that left nonsense is told of at the start.
    file.write("nonsense");
    auto broken =
        Endpoint::make({.hosts = {"*"}, .environment = Environment::dev}, make_router(file.path()));
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code(), "build_status");
}

TEST(LiveReload, tells_how_the_build_goes_each_time_that_changes) {
    StatusFile file("7 ok\n");
    std::string answer;
    simulate({}, [&]() -> Task<Result<>> {
        auto endpoint =
            Endpoint::make({.port = 8000, .hosts = {"*"}, .environment = Environment::dev},
                           make_router(file.path()))
                .value();
        std::shared_ptr<const net::HttpHandler> handler = endpoint;
        auto server = co_await start<net::HttpServer>({}, endpoint->server_options(), handler);
        co_await scoped([&](Scope& scope) -> Task<> {
            scope.run([](std::string& into) -> Task<> {
                into = co_await net::exchange(
                    {"127.0.0.1", 8000},
                    "GET /bennu/live-reload HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
            }(answer));
            scope.run([](const StatusFile& status, Pid stopped) -> Task<> {
                co_await sleep(1s);
                status.write("7 building\n");
                co_await sleep(1s);
                status.write("7 failed\nx.cpp:1: error: \"no\"\n");
                co_await sleep(1s);
                co_await stop_and_wait(stopped, 1s);
            }(file, server->pid()));
            co_return;
        });
        co_return Result<>();
    });
    const auto first = answer.find(R"({"version":7,"state":"ok","output":""})");
    const auto second = answer.find(R"({"version":7,"state":"building","output":""})");
    const auto third =
        answer.find(R"({"version":7,"state":"failed","output":"x.cpp:1: error: \"no\"\n"})");
    EXPECT_LT(first, second) << answer;
    EXPECT_LT(second, third) << answer;
    EXPECT_NE(third, std::string::npos) << answer;
}

}  // namespace bennu::live_reload_test
