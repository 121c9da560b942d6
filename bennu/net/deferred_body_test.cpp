// Bodies whose handlers have something to do before, over both wires.
#include <gtest/gtest.h>

#include "bennu/net/http2_testing.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::deferred_body_test {

using namespace std::chrono_literals;

/// Refuses `/refused` at once, and says of others whether their bodies were there or came.
struct Handler : TestHandler {
    BodyPlan body_plan(const RequestHead&) const override {
        return {.limit = 300'000, .delivery = BodyPlan::Delivery::deferred};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (request.head.path() == "/refused") {
            response.status = 403;
            response.body = "refused";
            co_return response;
        }
        // Whatever a plug asks of others.
        if (request.head.path() == "/thinks") co_await sleep(5s);
        const bool whole = !request.stream;
        Headers trailers;
        if (request.trailers) trailers = *request.trailers;
        if (!whole) {
            EXPECT_EQ(request.body, "");
            Result<std::string> body = co_await request.stream.rest(300'000);
            if (!body) {
                response.status = body.error().kind() == ErrorKind::timeout ? 408 : 400;
                response.body = "broken: " + std::string(body.error().code());
                co_return response;
            }
            request.body = *std::move(body);
            trailers = request.stream.trailers();
        }
        const std::size_t last = request.body.find_last_not_of(request.body.substr(0, 1));
        EXPECT_EQ(last, std::string::npos) << "pieces in the wrong order";
        response.body = (whole ? "whole " : "came ") + std::to_string(request.body.size()) +
                        std::string(trailers.get("x-sum")) + ".";
        co_return response;
    }
};

SimOutcome serve(SimOptions sim, Function<Task<>(SocketAddress)> client) {
    HttpServerOptions options{.body_timeout = 5s};
    options.interim_responses = false;
    return net::serve(sim, options, std::make_shared<Handler>(), std::move(client));
}

std::string post(std::string_view path, std::string_view fields) {
    return "POST " + std::string(path) + " HTTP/1.1\r\nhost: x\r\n" + std::string(fields) + "\r\n";
}
std::string sized(std::string_view path, std::size_t size, std::string_view more = "") {
    return post(path, "content-length: " + std::to_string(size) + "\r\n" + std::string(more));
}
constexpr std::string_view chunked = "transfer-encoding: chunked\r\n";
const std::string last_get = "GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// The answers to a request that comes in pieces, a second apart, and to one more behind it.
Task<std::string> answers(SocketAddress address, std::vector<std::string> pieces) {
    auto client = (co_await start<RawClient>({}, address)).value();
    for (std::string& piece : pieces) {
        cast(client, RawClient::Send{std::move(piece)});
        co_await sleep(1s);
    }
    cast(client, RawClient::Send{last_get});
    co_return co_await call(client, RawClient::ReadAll{}, {.timeout = 60s});
}

/// `cut`: the network may do so, too, and then nothing is surely whole.
void send_in_pieces(SimOptions sim, bool cut) {
    serve(sim, [cut](SocketAddress address) -> Task<> {
        struct Row {
            std::vector<std::string> pieces;
            std::string_view answer;
        };
        const std::string a(100, 'a'), large(200'000, 'l');
        const Row rows[] = {
            {{sized("/a", 100) + a}, "whole 100."},
            {{sized("/a", 100), a}, "came 100."},
            {{sized("/a", 100) + a.substr(0, 10), a.substr(0, 90)}, "came 100."},
            {{sized("/thinks", 100) + "a", a.substr(0, 99)}, "came 100."},
            {{sized("/a", 200'000), large}, "came 200000."},
            {{post("/a", chunked) + "3\r\naaa\r\n0\r\nx-sum: 7\r\n\r\n"}, "whole 37."},
            {{post("/a", chunked) + "3\r\naa", "a\r\n2\r\na", "a\r\n0\r\nx-sum: 7\r\n\r\n"},
             "came 57."},
            {{post("/a", chunked), "0\r\n\r\n"}, "came 0."},
            {{sized("/a", 3, "expect: 100-continue\r\n"), "aaa"}, "came 3."},
            {{sized("/a", 3, "expect: 100-continue\r\n") + "aaa"}, "whole 3."},
        };
        for (const Row& row : rows) {
            const std::string got = co_await answers(address, row.pieces);
            std::string_view answer = row.answer;
            if (cut) answer.remove_prefix(answer.find(' '));
            EXPECT_TRUE(got.contains(answer)) << got;
            EXPECT_TRUE(got.ends_with("\r\n\r\nwhole 0.")) << "the next request is lost: " << got;
            if (cut && row.pieces.size() == 1) continue;
            const bool waits = row.pieces[0].contains("expect") && row.pieces.size() > 1;
            EXPECT_EQ(got.starts_with("HTTP/1.1 100 Continue\r\n\r\n"), waits) << got;
        }
    });
}

TEST(DeferredBody, is_whole_when_it_comes_along) {
    send_in_pieces({}, false);
}

BENNU_SIM_TEST(DeferredBody, comes_in_whatever_pieces_it_is_sent, sim) {
    send_in_pieces(sim, true);
}

BENNU_SIM_TEST(DeferredBody, of_a_refused_request_is_neither_asked_for_nor_read, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        for (std::string more : {"", "expect: 100-continue\r\n"}) {
            auto client = (co_await start<RawClient>({}, address)).value();
            cast(client, RawClient::Send{sized("/refused", 250'000, more)});
            const std::string got = co_await call(client, RawClient::ReadAll{});
            EXPECT_TRUE(got.starts_with("HTTP/1.1 403 ")) << got;
            EXPECT_TRUE(got.contains("connection: close\r\n")) << got;
        }
        // A short rest is dropped, and the connection goes on.
        const std::string got =
            co_await answers(address, {sized("/refused", 10) + "12345", "67890"});
        EXPECT_TRUE(got.starts_with("HTTP/1.1 403 ")) << got;
        EXPECT_TRUE(got.ends_with("whole 0.")) << got;
    });
}

BENNU_SIM_TEST(DeferredBody, that_is_slow_malformed_or_too_large_is_told_to_its_handler, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        struct Row {
            std::vector<std::string> pieces;
            std::string_view answer;
        };
        const Row rows[] = {
            {{sized("/a", 100) + "aaa"}, "broken: request_timeout"},
            {{post("/a", chunked) + "3\r\na", "aa\r\nnonsense\r\n"}, "broken: bad_chunk"},
            {{post("/a", chunked), "100000\r\n" + std::string(0x100000, 'a')},
             "broken: body_too_large"},
        };
        for (const Row& row : rows) {
            auto client = (co_await start<RawClient>({}, address)).value();
            for (const std::string& piece : row.pieces) {
                cast(client, RawClient::Send{piece});
                co_await sleep(1s);
            }
            const std::string got = co_await call(client, RawClient::ReadAll{}, {.timeout = 60s});
            EXPECT_TRUE(got.ends_with("\r\n\r\n" + std::string(row.answer))) << got;
            EXPECT_TRUE(got.contains("connection: close\r\n")) << got;
        }
        // What is wrong with what came along is the server's to say.
        const std::string got = co_await exchange(address, post("/a", chunked) + "nonsense\r\n");
        EXPECT_TRUE(got.ends_with("failed: bad_chunk")) << got;
    });
}

using Ask = Http2Client::Ask;
using Begin = Http2Client::Begin;
using Await = Http2Client::Await;
using Send = Http2Client::Send;

TEST(DeferredBody, that_came_along_over_http_2_is_whole) {
    constexpr std::uint8_t data = 0, headers = 1, ends_stream = 1, ends_headers = 4;
    const std::string head = to_bytes(
        {headers, ends_headers, 1,
         plain_block(
             {{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/a"}})});
    const std::string body = to_bytes({data, ends_stream, 1, std::string(10'000, 'a')});
    serve({}, [=](SocketAddress address) -> Task<> {
        for (bool together : {true, false}) {
            auto client = (co_await start<RawClient>({}, address)).value();
            cast(client, RawClient::Send{http2_hello() + head + (together ? body : "")});
            co_await sleep(1s);
            if (!together) cast(client, RawClient::Send{body});
            const std::string answer = together ? "whole 10000." : "came 10000.";
            EXPECT_TRUE((co_await call(client, RawClient::ReadUntil{answer})).contains(answer));
            cast(client, RawClient::Disconnect{});
        }
    });
}

BENNU_SIM_TEST(DeferredBody, comes_over_http_2_once_its_handler_asks, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto client = (co_await start<Http2Client>({}, address)).value();
        const Http2Client::Fields fields{
            {":method", "POST"}, {":path", "/thinks"}, {"expect", "100-continue"}};
        const auto thinks = co_await call(client, Begin{fields});
        co_await sleep(1s);
        auto seen = co_await call(client, Http2Client::Look{thinks});
        EXPECT_EQ(seen.status, 0) << "asked for before the handler did";
        co_await sleep(5s);
        seen = co_await call(client, Http2Client::Look{thinks});
        EXPECT_EQ(seen.status, 100);
        cast(client, Send{thinks, std::string(200'000, 'a'), true, {{"x-sum", "7"}}});
        EXPECT_EQ((co_await call(client, Await{thinks})).body, "came 2000007.");

        // More than a window of it, sent before anybody asks.
        const auto eager =
            co_await call(client, Begin{{{":method", "POST"}, {":path", "/thinks"}}});
        cast(client, Send{eager, std::string(250'000, 'b'), true});
        co_await sleep(2s);
        EXPECT_EQ(co_await call(client, Http2Client::Window{eager}), 0);
        EXPECT_EQ((co_await call(client, Await{eager}, {.timeout = 60s})).body, "came 250000.");
    });
}

BENNU_SIM_TEST(DeferredBody, of_a_request_refused_over_http_2_is_not_waited_for, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto client = (co_await start<Http2Client>({}, address)).value();
        const auto stream = co_await call(
            client,
            Begin{{{":method", "POST"}, {":path", "/refused"}, {"expect", "100-continue"}}});
        const auto reply = co_await call(client, Await{stream});
        EXPECT_EQ(reply.status, 403);
        EXPECT_EQ(reply.body, "refused");
        EXPECT_TRUE(reply.informational.empty());
        EXPECT_TRUE(reply.closed);
        EXPECT_EQ(reply.error, 0U);
    });
}

BENNU_SIM_TEST(DeferredBody, that_is_slow_or_too_large_over_http_2_is_told_to_its_handler, sim) {
    serve(sim, [](SocketAddress address) -> Task<> {
        auto client = (co_await start<Http2Client>({}, address)).value();
        const auto slow = co_await call(client, Begin{{{":method", "POST"}}});
        cast(client, Send{slow, "abc"});
        EXPECT_EQ((co_await call(client, Await{slow}, {.timeout = 60s})).body,
                  "broken: request_timeout");
        const auto large = co_await call(client, Begin{{{":method", "POST"}}});
        co_await sleep(1s);
        cast(client, Send{large, std::string(400'000, 'a')});
        EXPECT_EQ((co_await call(client, Await{large}, {.timeout = 60s})).body,
                  "broken: body_too_large");
        // The connection takes no harm.
        EXPECT_EQ((co_await call(client, Ask{{{":path", "/last"}}})).body, "whole 0.");
    });
}

BENNU_SIM_TEST(DeferredBody, of_a_client_that_goes_is_not_waited_for, sim) {
    auto outcome = serve(sim, [](SocketAddress address) -> Task<> {
        auto client = (co_await start<Http2Client>({}, address)).value();
        const auto stream = co_await call(client, Begin{{{":method", "POST"}}});
        co_await sleep(1s);
        cast(client, Http2Client::Reset{stream});
        auto raw = (co_await start<RawClient>({}, address)).value();
        cast(raw, RawClient::Send{sized("/a", 100)});
        co_await sleep(1s);
        cast(raw, RawClient::Disconnect{});
        co_await sleep(1s);
        EXPECT_EQ((co_await call(client, Ask{{{":path", "/last"}}})).body, "whole 0.");
    });
    EXPECT_FALSE(outcome.hung);
}

}  // namespace bennu::net::deferred_body_test
