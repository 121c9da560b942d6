// Fields that follow a body, of answers and of requests.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/http_trailers.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::trailers_test {

using namespace std::chrono_literals;

/// Streams `abc` and then says more of it; `/unannounced` says what it should not.
struct Handler : TestHandler {
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (request.head.method == Method::post) {
            for (auto [name, value] : *request.trailers)
                response.body = std::string(response.body_view()) + std::string(name) + ";";
            co_return response;
        }
        response.headers.add("trailer", "x-sum, x-count");
        const bool unannounced = request.head.path() == "/unannounced";
        response.body = BodyProducer([unannounced](BodyWriter out) -> Task<Result<>> {
            co_await require(out.write("abc"));
            if (unannounced) out.trailer("x-other", "1");
            out.trailer("x-sum", "6");
            co_await sleep(10ms);
            out.trailer("X-Sum", "7");
            co_return Result<>();
        });
        co_return response;
    }
};

SimOutcome serve(SimOptions sim, Function<Task<>(SocketAddress)> client) {
    return net::serve(sim, {}, std::make_shared<Handler>(), std::move(client));
}

std::string get(std::string_view more, std::string_view path = "/sum") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nhost: x\r\n" + std::string(more) + "\r\n";
}

BENNU_SIM_TEST(Trailers, of_answers_go_to_clients_that_take_them, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string close = "connection: close\r\n";
        for (std::string te : {"te: trailers\r\n", "TE: deflate;q=0.5, Trailers\r\n"}) {
            const std::string got = co_await exchange(address, get(te) + get(te + close));
            const std::string end = "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n";
            EXPECT_TRUE(got.contains("trailer: x-sum, x-count\r\n")) << got;
            EXPECT_TRUE(got.contains(end + "HTTP/1.1 200 ")) << got;
            EXPECT_TRUE(got.ends_with(end)) << got;
        }
        for (std::string te : {"", "te: deflate\r\n", "te: trailers-not\r\n"}) {
            const std::string got = co_await exchange(address, get(te + close));
            EXPECT_FALSE(got.contains("railer")) << got;
            EXPECT_TRUE(got.ends_with("3\r\nabc\r\n0\r\n\r\n")) << got;
        }
        const std::string old =
            co_await exchange(address, "GET /sum HTTP/1.0\r\nte: trailers\r\n\r\n");
        EXPECT_FALSE(old.contains("railer")) << old;
        EXPECT_TRUE(old.ends_with("\r\n\r\nabc")) << old;
    });
}

BENNU_SIM_TEST(Trailers, of_answers_follow_the_body_over_http_2, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto client = (co_await start<Http2Client>({}, address)).value();
        for (int i = 0; i < 2; ++i) {
            const auto reply = co_await call(client, Http2Client::Ask{{{":path", "/sum"}}});
            EXPECT_EQ(reply.body, "abc");
            EXPECT_TRUE(reply.ended);
            EXPECT_EQ(reply.headers.get("trailer"), "x-sum, x-count");
            EXPECT_EQ(reply.headers.get("x-sum"), "7");
        }
        // Also when the client never ends its own side.
        const auto open = co_await call(client, Http2Client::Begin{{{":path", "/sum"}}});
        cast(client, Http2Client::Reset{open});
    });
}

TEST(Trailers, that_were_not_announced_are_a_fault) {
    LogCapture log;
    serve({}, [](SocketAddress address) -> Task<> {
        const std::string got = co_await exchange(address, get("te: trailers\r\n", "/unannounced"));
        EXPECT_TRUE(got.ends_with("3\r\nabc\r\n")) << got;
        auto client = (co_await start<Http2Client>({}, address)).value();
        const auto reply = co_await call(client, Http2Client::Ask{{{":path", "/unannounced"}}});
        EXPECT_FALSE(reply.ended);
    });
    EXPECT_TRUE(log.contains("does not announce the field x-other"));
}

TEST(Trailers, only_some_fields_may_follow) {
    for (auto name : {"x-sum", "etag", "digest", "server-timing"}) {
        EXPECT_TRUE(may_trail(name)) << name;
        EXPECT_TRUE(may_trail_answer(name)) << name;
    }
    for (auto name : {"Content-Length", "transfer-encoding", "host", "authorization"}) {
        EXPECT_FALSE(may_trail(name)) << name;
        EXPECT_FALSE(may_trail_answer(name)) << name;
    }
    for (auto name : {"Set-Cookie", "location", "www-authenticate"})
        EXPECT_FALSE(may_trail_answer(name)) << name;
}

BENNU_SIM_TEST(Trailers, of_requests_that_mean_something_only_in_the_head_are_dropped, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        const std::string got = co_await exchange(
            address,
            "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
            "0\r\nx-sum: 7\r\nauthorization: me\r\n\r\n");
        EXPECT_TRUE(got.ends_with("\r\n\r\nx-sum;")) << got;
        auto client = (co_await start<Http2Client>({}, address)).value();
        const auto stream = co_await call(client, Http2Client::Begin{{{":method", "POST"}}});
        cast(client,
             Http2Client::Send{stream, "a", true, {{"x-sum", "7"}, {"authorization", "me"}}});
        EXPECT_EQ((co_await call(client, Http2Client::Await{stream})).body, "x-sum;");
    });
}

}  // namespace bennu::net::trailers_test
