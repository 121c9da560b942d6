// The snippets of docs/guide/serving.md, run: over a Unix socket, as a client sees them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bennu/base/bytes.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/net/websocket_testing.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/event_stream.hpp"
#include "bennu/web/protect/basic_auth.hpp"
#include "bennu/web/send_file.hpp"
#include "bennu/web/websocket_route.hpp"

namespace bennu::serving_guide {

using namespace std::chrono_literals;

struct Shout : net::WebSocketHandler {
    void on_open(net::WebSocketConnection& socket) override { socket.send_text("hello"); }
    void on_text(net::WebSocketConnection& socket, std::string_view text) override {
        if (text == "bye") return socket.close(1000);
        socket.send_text(std::string(text) + "!");
    }
    void on_binary(net::WebSocketConnection& socket, std::string_view) override {
        socket.close(1003, "text only");
    }
};

Task<Response> report(Conn conn, std::string folder) {
    // What people type is compared, and never becomes a part of the path.
    if (conn.param("year") != "2026") co_return not_found(conn);
    co_return co_await send_file(conn, folder + "/report-2026.pdf",
                                 {.filename = "Report 2026.pdf"});
}

Response squares(Conn conn) {
    return stream(conn, 200, "text/csv", [](net::BodyWriter out) -> Task<Result<>> {
        for (int n = 0; n < 1000; ++n) {
            std::string line = std::to_string(n) + "," + std::to_string(n * n) + "\n";
            co_await require(out.write(std::move(line)));  // waits for a client that reads slowly
        }
        co_return {};
    });
}

Task<Response> count(Conn conn) {
    std::size_t bytes = 0;
    while (true) {
        auto piece = co_await conn.body_reader().next();
        if (!piece) co_return error(conn, piece.error());
        if (!*piece) break;
        bytes += (*piece)->size();
    }
    co_return text(conn, 200, std::to_string(bytes));
}

Response ticks(Conn conn) {
    return sse(conn, [](EventWriter out) -> Task<Result<>> {
        int n = 0;
        if (!out.last_event_id().empty()) n = std::stoi(std::string(out.last_event_id()));
        while (n < 3) {
            ++n;
            co_await require(out.send({.data = "tick", .id = std::to_string(n)}));
            co_await sleep(10ms);
        }
        co_return {};
    });
}

std::shared_ptr<Router> routes(std::string folder, StaticFiles site) {
    auto router = std::make_shared<Router>();
    router->files("/files", site);
    router->get("/app/*page", site.page("index.html"));

    router->get("/reports/:year",
                [folder](Conn conn) -> Task<Response> { co_return co_await report(conn, folder); });
    router->get("/squares.csv", squares);
    router->post("/count", count, {.body_limit = 1'000'000'000, .stream_body = true});
    router->get("/ticks", ticks);

    BasicAuth operators({{.user = "ops", .password = Secret("correct horse battery")}});
    router->scope("/admin", {std::move(operators)}, [](RouteScope& admin) {
        admin.get("/",
                  [](Conn conn) { return text(conn, 200, "hello " + conn.get<BasicUser>().name); });
    });

    router->websocket("/shout", [](Conn conn) {
        return websocket(conn, std::make_unique<Shout>(), {.options = {.max_message = 10'000}});
    });
    return router;
}

Task<Result<>> serve(std::string path, std::string folder, Function<Task<>(SocketAddress)> client) {
    StaticFiles site = co_await require(
        co_await offload([folder] { return StaticFiles::directory(folder + "/site"); }));
    EndpointOptions options{.host = "unix:" + path};
    auto tree = co_await require(supervise({}, endpoint_children(options, routes(folder, site))));
    co_await client({.host = "unix:" + path});
    co_await stop_and_wait(tree.pid());
    co_return {};
}

/// A folder that is gone with this.
struct Folder {
    std::string path = testing::TempDir() + "serving_guide." + std::to_string(::getpid());
    Folder() {
        std::filesystem::create_directories(path + "/site/docs");
        std::ofstream(path + "/site/index.html") << "<p>home</p>";
        std::ofstream(path + "/site/docs/index.html") << "<p>docs</p>";
        std::ofstream(path + "/report-2026.pdf") << "a report";
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

Task<std::string> ask(SocketAddress address, std::string head, std::string body = {}) {
    std::string request = head + " HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    if (!body.empty()) request += "content-length: " + std::to_string(body.size()) + "\r\n";
    co_return co_await net::exchange(address, request + "\r\n" + body);
}

TEST(ServingGuide, its_snippets_do_what_it_says) {
    Folder folder;
    const std::string socket = folder.path + "/web.sock";
    const int status = run({.shards = 1, .handle_signals = false}, [&] [[clang::coro_wrapper]] () {
        return serve(socket, folder.path, [](SocketAddress at) -> Task<> {
            EXPECT_TRUE((co_await ask(at, "GET /files/")).ends_with("<p>home</p>"));
            EXPECT_TRUE((co_await ask(at, "GET /files/docs")).contains("location: /files/docs/"));
            EXPECT_TRUE((co_await ask(at, "GET /app/any/where")).ends_with("<p>home</p>"));
            const std::string saved = co_await ask(at, "GET /reports/2026");
            EXPECT_TRUE(saved.ends_with("a report")) << saved;
            EXPECT_TRUE(saved.contains("content-disposition: attachment")) << saved;
            EXPECT_TRUE((co_await ask(at, "GET /reports/2025")).starts_with("HTTP/1.1 404"));
            EXPECT_TRUE((co_await ask(at, "GET /squares.csv")).contains("999,998001\n"));
            const std::string large(3'000'000, 'x');
            EXPECT_TRUE((co_await ask(at, "POST /count", large)).ends_with("\r\n3000000"));
            const std::string events = co_await ask(at, "GET /ticks");
            EXPECT_TRUE(events.contains("id: 3\ndata: tick\n\n")) << events;
            EXPECT_TRUE((co_await ask(at, "GET /admin")).starts_with("HTTP/1.1 401"));
            const std::string let_in = co_await net::exchange(
                at, "GET /admin HTTP/1.1\r\nhost: a\r\nconnection: close\r\nauthorization: Basic " +
                        base64_encode("ops:correct horse battery") + "\r\n\r\n");
            EXPECT_TRUE(let_in.ends_with("hello ops")) << let_in;
            const std::string spoken =
                co_await net::exchange(at,
                                       "GET /shout HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\n"
                                       "upgrade: websocket\r\nsec-websocket-version: 13\r\n"
                                       "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
                                           net::ws::frame(net::ws::fin | net::ws::text, "hey") +
                                           net::ws::frame(net::ws::fin | net::ws::text, "bye") +
                                           net::ws::close_frame(1000));
            EXPECT_EQ(net::ws::describe(spoken.substr(spoken.find("\r\n\r\n") + 4)),
                      "text hello;text hey!;close 1000");
        });
    });
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(std::filesystem::exists(socket)) << "the socket's file is gone with its server";
}

}  // namespace bennu::serving_guide
