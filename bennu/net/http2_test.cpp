#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::http2_test {

using namespace std::chrono_literals;
using Fields = Http2Client::Fields;

/// Answers with what it got, or in ways that the target names.
struct EchoHandler : TestHandler {
    BodyPlan body_plan(const RequestHead& head) const override {
        if (head.path() == "/refused") return {.delivery = BodyPlan::Delivery::refused};
        return {.limit = 1000};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        const std::string target(request.head.target());
        response.headers.add("X-Mixed-Case", "kept");
        response.headers.add("connection", "close");
        if (target == "/crash") throw std::runtime_error("told to");
        if (target == "/killed") kill(self(), "told to");
        if (target == "/slow" || target == "/killed") co_await sleep(5s);
        if (target == "/big") {
            response.body = std::string(1'000'000, 'b');
        } else if (target == "/shared") {
            response.body = make_shared_value<std::string>(300'000, 's');
        } else if (target == "/nothing") {
            response.status = 204;
        } else if (target == "/bye") {
            response.close = true;
        } else if (target == "/head") {
            std::string text(request.head.method_text());
            for (auto [name, value] : request.head.headers)
                text += "|" + std::string(name) + "=" + std::string(value);
            text += "|from " + request.peer.host + (request.tls ? "|tls" : "|plain");
            response.body = text;
        } else {
            std::string text(request.head.method_text());
            text += " " + target + " " + std::string(request.head.host()) + " " + request.body;
            if (request.trailers) text += " " + std::string(request.trailers->get("x-sum"));
            response.body = text;
        }
        co_return response;
    }
};

SimOutcome serve(SimOptions sim, HttpServerOptions options,
                 Function<Task<>(SocketAddress)> client) {
    return net::serve(sim, options, std::make_shared<EchoHandler>(), std::move(client));
}

Http2Client::Ask get(std::string path, Fields fields = {}) {
    fields.emplace_back(":path", std::move(path));
    return {std::move(fields)};
}
Http2Client::Ask post(std::string path, std::string body, Fields fields = {}) {
    fields.emplace_back(":method", "POST");
    fields.emplace_back(":path", std::move(path));
    return {std::move(fields), std::move(body)};
}
constexpr CallOptions patient{.timeout = 200s};

BENNU_SIM_TEST(Http2, answers_over_a_plain_connection_with_prior_knowledge, options) {
    Http2Reply first, second;
    SimOutcome outcome = serve(options, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        first = co_await call(*client, get("/a?b=c"));
        second = co_await call(*client, post("/b", "body"));
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "GET /a?b=c x ");
    EXPECT_EQ(first.headers.get("content-length"), "13");
    EXPECT_TRUE(first.headers.contains("date"));
    EXPECT_EQ(first.headers[0].name, "x-mixed-case");
    EXPECT_FALSE(first.headers.contains("connection"));
    EXPECT_TRUE(first.ended);
    EXPECT_EQ(second.body, "POST /b x body");
}

TEST(Http2, the_preface_may_come_in_pieces) {
    for (std::size_t piece : {1, 2, 3, 5, 16, 23, 24, 25}) {
        Http2Reply reply;
        serve({}, {}, [&](SocketAddress address) -> Task<> {
            auto client =
                co_await start<Http2Client>({}, address, Http2Client::Options{.piece = piece});
            reply = co_await call(*client, post("/b", "body"));
        });
        EXPECT_EQ(reply.body, "POST /b x body") << piece;
    }
}

TEST(Http2, a_method_that_begins_like_the_preface_is_http_1) {
    std::string answer;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<RawClient>({}, address);
        for (std::string piece : {"P", "R", "OPFIND /x HTTP/1.1\r\nhost: x\r\n\r\n"}) {
            cast(*client, RawClient::Send{piece});
            co_await sleep(10ms);
        }
        answer = co_await call(*client, RawClient::ReadUntil{"PROPFIND /x"});
    });
    EXPECT_TRUE(answer.contains("200 OK")) << answer;
}

TEST(Http2, a_listener_without_it_speaks_http_1_only) {
    std::string answer;
    serve({}, {.http2 = {.streams = 0}}, [&](SocketAddress address) -> Task<> {
        answer = co_await exchange(address, http2_hello());
    });
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 505 ")) << answer;
}

BENNU_SIM_TEST(Http2, alpn_chooses_it, options) {
    Http2Reply reply;
    std::string older;
    TlsOptions tls{.certificates = {make_test_certificate({"localhost"})}};
    auto trust = [&](std::vector<std::string> protocols) {
        return *TlsContext::client(
            {.authorities = tls.certificates[0].certificate, .protocols = std::move(protocols)});
    };
    serve(options, {.tls = tls}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>(
            {}, address, Http2Client::Options{.tls = trust({"h2", "http/1.1"})});
        reply = co_await call(*client, get("/head"));
        older = co_await exchange(
            address, "GET /old HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", trust({}));
    });
    EXPECT_TRUE(reply.body.contains("|tls")) << reply.body;
    EXPECT_TRUE(reply.body.contains("|from 127.0.0.1")) << reply.body;
    EXPECT_TRUE(older.contains("GET /old ")) << older;
}

TEST(Http2, a_slow_a_crashing_and_a_killed_handler_affect_only_their_stream) {
    LogCapture log;
    Http2Reply slow, quick, crash, killed, after;
    Duration quick_took{}, slow_took{};
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const Instant began = now();
        const auto slow_id = co_await call(*client, Http2Client::Begin{{{":path", "/slow"}}, true});
        crash = co_await call(*client, get("/crash"));
        killed = co_await call(*client, get("/killed"));
        quick = co_await call(*client, get("/quick"));
        quick_took = now() - began;
        slow = co_await call(*client, Http2Client::Await{slow_id}, patient);
        slow_took = now() - began;
        after = co_await call(*client, get("/after"));
    });
    EXPECT_EQ(crash.status, 500);
    EXPECT_TRUE(log.contains("a request crashed"));
    EXPECT_EQ(killed.status, 0);
    EXPECT_EQ(killed.error, 2U);  // INTERNAL_ERROR
    EXPECT_EQ(quick.body, "GET /quick x ");
    EXPECT_LT(quick_took, 1s);
    EXPECT_EQ(slow.status, 200);
    EXPECT_GE(slow_took, 5s);
    EXPECT_EQ(after.status, 200);
}

BENNU_SIM_TEST(Http2, big_bodies_of_many_streams_arrive_whole, options) {
    std::vector<Http2Reply> replies;
    SimOutcome outcome = serve(options, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 6; ++i) {
            ids.push_back(co_await call(
                *client, Http2Client::Begin{{{":path", i % 2 ? "/big" : "/shared"}}, true}));
        }
        for (std::int32_t id : ids)
            replies.push_back(co_await call(*client, Http2Client::Await{id}, patient));
    });
    EXPECT_FALSE(outcome.hung);
    ASSERT_EQ(replies.size(), 6U);
    for (int i = 0; i < 6; ++i) {
        EXPECT_TRUE(replies[i].ended);
        EXPECT_EQ(replies[i].body, i % 2 ? std::string(1'000'000, 'b') : std::string(300'000, 's'));
    }
}

TEST(Http2, the_head_means_what_it_means_in_http_1) {
    Http2Reply crumbs, hosts, head, nothing, star;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        crumbs = co_await call(
            *client, get("/head", {{"cookie", "a=1"}, {"x-other", "o"}, {"cookie", "b=2"}}));
        hosts = co_await call(*client, get("/head", {{"host", "X"}, {":authority", "x"}}));
        head = co_await call(*client, get("/h", {{":method", "HEAD"}}));
        nothing = co_await call(*client, get("/nothing"));
        star = co_await call(*client, get("*", {{":method", "OPTIONS"}}));
    });
    EXPECT_TRUE(crumbs.body.starts_with("GET|host=x|x-other=o|cookie=a=1; b=2|")) << crumbs.body;
    EXPECT_TRUE(hosts.body.starts_with("GET|host=x|from")) << hosts.body;
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.get("content-length"), "10");
    EXPECT_EQ(head.body, "");
    EXPECT_TRUE(head.ended);
    EXPECT_EQ(nothing.status, 204);
    EXPECT_FALSE(nothing.headers.contains("content-length"));
    EXPECT_EQ(star.body, "OPTIONS * x ");
}

struct Bad {
    const char* what;
    Fields fields;
    int status;  ///< 0: the stream is reset
    const char* body = "";
};

TEST(Http2, what_is_malformed_is_refused_and_the_connection_goes_on) {
    const std::string none = "(none)";
    const Bad cases[] = {
        {"an underscore in a name", {{"x_y", "1"}}, 400, "failed: underscore_name"},
        {"two hosts that differ", {{"host", "y"}}, 400, "failed: bad_host"},
        {"no host at all", {{":authority", none}}, 0},
        {"an authority with a name in it", {{":authority", "me@x"}}, 400, "failed: bad_host"},
        {"a fragment", {{":path", "/a#b"}}, 400, "failed: bad_target"},
        {"a space in the path", {{":path", "/a b"}}, 0},
        {"an absolute path", {{":path", "http://x/"}}, 0},
        {"no path", {{":path", none}}, 0},
        {"no method", {{":method", none}}, 0},
        {"no scheme", {{":scheme", none}}, 0},
        {"CONNECT", {{":method", "CONNECT"}, {":path", none}, {":scheme", none}}, 501},
        {"a field of the connection", {{"connection", "close"}}, 0},
        {"transfer-encoding", {{"transfer-encoding", "chunked"}}, 0},
        {"te", {{"te", "gzip"}}, 0},
        {"a pseudo field of answers", {{":status", "200"}}, 0},
        {"an unknown expectation", {{"expect", "money"}}, 417},
        {"a length that lies", {{"content-length", "5"}}, 0},
        {"a long path", {{":path", "/" + std::string(9000, 'a')}}, 414},
        {"a long field", {{"x", std::string(9000, 'a')}}, 431},
    };
    for (const Bad& bad : cases) {
        Http2Reply reply, after;
        serve({}, {}, [&](SocketAddress address) -> Task<> {
            auto client = co_await start<Http2Client>({}, address);
            reply = co_await call(*client, Http2Client::Ask{bad.fields});
            after = co_await call(*client, get("/after"));
        });
        EXPECT_EQ(reply.status, bad.status) << bad.what << " " << reply.body;
        if (bad.status == 0) EXPECT_EQ(reply.error, 1U) << bad.what;  // PROTOCOL_ERROR
        EXPECT_TRUE(reply.body.contains(bad.body)) << bad.what << " " << reply.body;
        EXPECT_EQ(after.status, 200) << bad.what;
    }
}

TEST(Http2, bodies_are_limited_and_expected) {
    Http2Reply announced, too_much, refused, continued, trailers, after;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        announced = co_await call(*client,
                                  post("/a", std::string(1001, 'x'), {{"content-length", "1001"}}));
        too_much = co_await call(*client, post("/b", std::string(200'000, 'x')));
        refused = co_await call(*client, post("/refused", "x"));
        const auto id = co_await call(
            *client,
            Http2Client::Begin{{{":method", "POST"}, {":path", "/c"}, {"expect", "100-continue"}}});
        co_await sleep(100ms);
        cast(*client, Http2Client::Send{id, "now", true});
        continued = co_await call(*client, Http2Client::Await{id});
        const auto other =
            co_await call(*client, Http2Client::Begin{{{":method", "POST"}, {":path", "/t"}}});
        cast(*client, Http2Client::Send{other, "sum", true, {{"x-sum", "42"}}});
        trailers = co_await call(*client, Http2Client::Await{other});
        after = co_await call(*client, get("/after"));
    });
    EXPECT_EQ(announced.body, "failed: body_too_large");
    EXPECT_EQ(announced.status, 413);
    EXPECT_EQ(too_much.status, 413);
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.get("retry-after"), "1");
    EXPECT_EQ(continued.informational, std::vector<int>{100});
    EXPECT_EQ(continued.body, "POST /c x now");
    EXPECT_EQ(trailers.body, "POST /t x sum 42");
    EXPECT_EQ(after.status, 200);
}

TEST(Http2, bodies_that_do_not_come_time_out_and_others_go_on) {
    Http2Reply late, other;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id =
            co_await call(*client, Http2Client::Begin{{{":method", "POST"}, {":path", "/late"}}});
        cast(*client, Http2Client::Send{id, "beg"});
        late = co_await call(*client, Http2Client::Await{id}, patient);
        other = co_await call(*client, get("/other"));
    });
    EXPECT_EQ(late.status, 408);
    EXPECT_EQ(other.status, 200);
}

TEST(Http2, requests_that_are_too_much_are_turned_away_one_by_one) {
    Http2Reply first, turned_away, with_body;
    HttpServerOptions options;
    options.admission.memory = 1;  // more is held as soon as somebody looks
    serve({}, options, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        first = co_await call(*client, get("/first"));
        co_await sleep(1500ms);
        turned_away = co_await call(*client, get("/late"));
        with_body = co_await call(*client, post("/late", "body"));
    });
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(turned_away.status, 503);
    EXPECT_EQ(turned_away.headers.get("retry-after"), "1");
    EXPECT_EQ(turned_away.body, "failed: overloaded");
    EXPECT_EQ(with_body.status, 503);
}

TEST(Http2, idle_connections_are_told_and_closed) {
    std::uint32_t code = 0;
    Duration took{}, silent{};
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        (void)co_await call(*client, get("/a"));
        Instant began = now();
        code = co_await call(*client, Http2Client::AwaitGoaway{}, patient);
        (void)co_await call(*client, Http2Client::AwaitClose{}, patient);
        took = now() - began;
        began = now();
        (void)co_await exchange(address, std::string(http2_preface));
        silent = now() - began;
    });
    EXPECT_EQ(code, 0U);
    EXPECT_GT(took, 59s);
    EXPECT_LT(took, 64s);
    EXPECT_LT(silent, 14s);
}

BENNU_SIM_TEST(Http2, stopping_waits_for_open_streams_and_refuses_new_ones, options) {
    Http2Reply slow;
    std::uint32_t code = 999;
    Duration took{};
    simulate(options, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<EchoHandler>();
        const SocketAddress address{"127.0.0.1", 8000};
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.address = address}, handler);
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, Http2Client::Begin{{{":path", "/slow"}}, true});
        co_await sleep(1s);
        const Instant began = now();
        co_await stop_and_wait(server->pid(), 30s);
        took = now() - began;
        slow = co_await call(*client, Http2Client::Await{id});
        code = co_await call(*client, Http2Client::AwaitGoaway{});
        (void)co_await call(*client, Http2Client::AwaitClose{});
        co_return {};
    });
    EXPECT_EQ(slow.status, 200);
    EXPECT_TRUE(slow.ended);
    EXPECT_EQ(code, 0U);
    EXPECT_GE(took, 3s);
    EXPECT_LT(took, 9s);
}

TEST(Http2, an_answer_that_closes_and_the_last_request_let_open_streams_finish) {
    Http2Reply slow, bye;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, Http2Client::Begin{{{":path", "/slow"}}, true});
        bye = co_await call(*client, get("/bye"));
        slow = co_await call(*client, Http2Client::Await{id}, patient);
        EXPECT_TRUE(co_await call(*client, Http2Client::AwaitClose{}));
    });
    EXPECT_EQ(bye.status, 200);
    EXPECT_EQ(slow.status, 200);
}

TEST(Http2, connections_leave_nothing_behind) {
    std::size_t during = 0, left = 99;
    simulate({}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<EchoHandler>();
        const SocketAddress address{"127.0.0.1", 8000};
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.address = address}, handler);
        auto client = co_await start<Http2Client>({}, address);
        (void)co_await call(*client, Http2Client::Begin{{{":path", "/slow"}}, true});
        co_await sleep(100ms);
        kill(client->pid());
        co_await sleep(100ms);
        // The handler of a client that has gone is still under way.
        during = co_await call(*server, HttpServer::Connections{});
        co_await sleep(6s);
        left = co_await call(*server, HttpServer::Connections{});
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(during, 1U);
    EXPECT_EQ(left, 0U);
}

}  // namespace bennu::net::http2_test
