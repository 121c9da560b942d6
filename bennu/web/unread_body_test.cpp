#include <gtest/gtest.h>

#include "bennu/net/http2_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/method_override.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/trusted_proxies.hpp"
#include "bennu/web/served_site_test.hpp"

/// Bodies that nobody reads are not gathered.
namespace bennu::unread_body_test {

using namespace std::chrono_literals;

constexpr std::string_view form_type = "Content-Type: application/x-www-form-urlencoded\r\n";

std::shared_ptr<Router> make_router() {
    auto router = std::make_shared<Router>();
    router->plug(TrustedProxies({"127.0.0.1"}));
    router->plug(RequestIds{});
    // Says nothing of what it needs.
    router->plug([](Conn conn) { conn.put_header("x-seen", std::to_string(conn.body().size())); });
    router->plug(MethodOverride{});
    router->get("/page", [](Conn conn) { return text(conn, 200, "page"); });
    router->put("/item",
                [](Conn conn) { return text(conn, 200, "put " + to_json(conn.body_params())); });
    router->host("app.example", [](RouteScope& app) {
        app.post("/echo", [](Conn conn) { return text(conn, 200, conn.take_body()); });
    });
    return router;
}

void serve(SimOptions sim, Function<Task<>(SocketAddress)> client) {
    served_site_test::serve(sim, {}, make_router, std::move(client));
}

std::string post(std::string_view path, std::size_t length, std::string_view more = "") {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n" +
           std::string(more) + "\r\n";
}

using served_site_test::answer_to_head;

BENNU_SIM_TEST(UnreadBody, is_not_waited_for_where_there_is_no_route, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        struct Row {
            std::string head;
            std::string_view status;
        };
        const Row rows[] = {
            {post("/nothing", 7'000'000), "404 "},
            {post("/nothing", 7'000'000, form_type), "404 "},
            {post("/nothing", 7'000'000'000), "404 "},
            {post("/page", 7'000'000), "405 "},
            {post("/page", 7'000'000, form_type), "405 "},
            {post("/item", 7'000'000), "405 "},
            {post("/a/../b", 7'000'000), "400 "},
            {post("/nothing", 5, "Expect: 100-continue\r\n"), "404 "},
            {post("/page", 5, "Expect: 100-continue\r\n"), "405 "},
        };
        for (const Row& row : rows) {
            const std::string answer = co_await answer_to_head(address, row.head);
            EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::string(row.status))) << answer;
            EXPECT_TRUE(answer.contains("connection: close\r\n")) << answer;
        }
        const std::string answer = co_await answer_to_head(address, rows[0].head);
        EXPECT_TRUE(answer.contains("x-seen: 0\r\n")) << answer;
    });
}

BENNU_SIM_TEST(UnreadBody, of_forty_clients_at_once_is_not_taken, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        constexpr std::size_t size = 7'000'000;
        std::vector<Ref<net::RawClient>> clients;
        for (int i = 0; i < 40; ++i) {
            clients.push_back((co_await start<net::RawClient>({}, address)).value());
            // The beginning: the answer comes all the same.
            cast(clients.back(),
                 net::RawClient::Send{post("/nothing", size) + std::string(20'000, 'x')});
        }
        for (const Ref<net::RawClient>& client : clients) {
            const std::string answer =
                co_await call(client, net::RawClient::ReadUntil{"not_found"});
            EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 ")) << answer;
        }
    });
}

BENNU_SIM_TEST(UnreadBody, short_ones_leave_the_connection_open, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string answers = co_await net::exchange(
            address, post("/nothing", 4) + "abcd" + post("/page", 4) + "abcd" +
                         "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        const std::size_t wrong_method = answers.find("HTTP/1.1 405 ");
        EXPECT_TRUE(answers.starts_with("HTTP/1.1 404 ")) << answers;
        EXPECT_NE(wrong_method, std::string::npos) << answers;
        EXPECT_GT(answers.rfind("HTTP/1.1 200 ") + 1, wrong_method) << answers;
    });
}

BENNU_SIM_TEST(UnreadBody, forms_still_say_which_method_they_mean, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string body = "_method=put&a=b";
        const std::string answer = co_await net::exchange(
            address,
            post("/item", body.size(), std::string(form_type) + "Connection: close\r\n") + body);
        EXPECT_TRUE(answer.contains(R"(put {"_method":"put","a":"b"})")) << answer;
    });
}

BENNU_SIM_TEST(UnreadBody, is_read_after_all_when_a_proxy_names_a_host_with_a_route, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string proxied =
            "X-Forwarded-For: 10.1.1.1\r\nX-Forwarded-Host: app.example\r\nConnection: close\r\n";
        const std::string answer =
            co_await net::exchange(address, post("/echo", 5, proxied) + "hello");
        EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
        const std::string large =
            co_await answer_to_head(address, post("/echo", 9'000'000, proxied));
        EXPECT_TRUE(large.starts_with("HTTP/1.1 413 ")) << large;
    });
}

BENNU_SIM_TEST(UnreadBody, is_not_waited_for_over_http_2, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto client = (co_await start<net::Http2Client>({}, address)).value();
        for (const char* path : {"/nothing", "/page"}) {
            const auto stream =
                co_await call(client, net::Http2Client::Begin{{{":method", "POST"},
                                                               {":path", path},
                                                               {"content-length", "7000000"},
                                                               {"expect", "100-continue"}}});
            const auto answer = co_await call(client, net::Http2Client::Await{stream, "\"code\""});
            EXPECT_EQ(answer.status, *path == '/' && path[1] == 'n' ? 404 : 405);
            EXPECT_TRUE(answer.informational.empty());
            cast(client, net::Http2Client::Reset{stream});
        }
    });
}

}  // namespace bennu::unread_body_test
