// WebSockets on streams of an HTTP/2 connection: RFC 8441.
#include "bennu/net/http2_websocket_test.hpp"

namespace bennu::net::http2_websocket_test {

BENNU_SIM_TEST(Http2WebSocket, opens_echoes_and_closes, options) {
    Http2Reply opened, reply;
    auto seen = serve({.sim = options}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open({{"sec-websocket-protocol", "other, chat"},
                                                     {"sec-websocket-key", "is not looked at"}}));
        opened = co_await call(*client, await(id, "hello"), patient);
        cast(*client,
             send(id, frame(fin | text, "one") + frame(text, "tw") + frame(fin | ping, "p") +
                          frame(fin | continuation, "o") + frame(fin | binary, "\x01\xff")));
        cast(*client, send(id, close_frame(3000, "enough"), true));
        reply = co_await call(*client, await(id), patient);
    });
    EXPECT_EQ(opened.status, 200);
    EXPECT_EQ(opened.headers.get("sec-websocket-protocol"), "chat");
    EXPECT_EQ(opened.headers.get("x-request-id"), "7");
    EXPECT_TRUE(opened.headers.contains("date"));
    for (std::string_view absent : {"sec-websocket-accept", "connection", "upgrade",
                                    "content-length", "sec-websocket-extensions"})
        EXPECT_FALSE(opened.headers.contains(absent)) << absent;
    EXPECT_EQ(describe(reply.body),
              "text hello;text one;pong p;text two;binary \x01\xff;close 3000");
    EXPECT_TRUE(reply.ended);
    EXPECT_EQ(reply.error, 0U);
    EXPECT_EQ(seen->closed, std::vector<std::string>{"3000"});
}

TEST(Http2WebSocket, messages_are_compressed_as_agreed) {
    const WebSocketDeflate deflate{.enabled = true, .min_size = 10};
    const auto agreed = *negotiate_deflate("permessage-deflate", deflate);
    MessageDeflate packer(agreed, deflate, 1'000'000);
    const std::string words(1000, 'w');
    Http2Reply reply;
    serve({.socket = {.deflate = deflate}}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id =
            co_await call(*client, open({{"sec-websocket-extensions", "permessage-deflate"}}));
        cast(*client, send(id, frame(fin | rsv1 | text, packer.compress(words))));
        cast(*client, send(id, close_frame(1000), true));
        reply = co_await call(*client, await(id), patient);
    });
    EXPECT_EQ(reply.headers.get("sec-websocket-extensions"), agreed.answer);
    EXPECT_EQ(describe(reply.body, &agreed), "text hello;text deflated " + words + ";close 1000");
    EXPECT_LT(reply.body.size(), 100U);
}

BENNU_SIM_TEST(Http2WebSocket, a_big_message_passes_through_tiny_windows, options) {
    Http2Reply reply;
    const std::string big(100'000, 'b');
    HttpServerOptions server;
    server.http2.stream_window = 300;
    serve({.socket = {.max_message = 200'000}, .server = server, .sim = options},
          [&](SocketAddress address) -> Task<> {
              auto client =
                  co_await start<Http2Client>({}, address, Http2Client::Options{.window = 500});
              const auto id = co_await call(*client, open());
              cast(*client, send(id, frame(fin | text, big) + close_frame(1000), true));
              reply = co_await call(*client, await(id), patient);
          });
    EXPECT_EQ(describe(reply.body), "text hello;text " + big.substr(0, 200) + ";close 1000");
    EXPECT_GT(reply.body.size(), big.size());
}

TEST(Http2WebSocket, a_message_of_a_megabyte_and_one_over_the_limit) {
    Http2Reply whole, over;
    const WebSocketOptions large{.max_message = 1'100'000};
    serve({.socket = large}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open());
        cast(*client, send(id, frame(fin | binary, std::string(1'000'000, 'm'))));
        cast(*client, send(id, close_frame(1000), true));
        whole = co_await call(*client, await(id), patient);
        const auto other = co_await call(*client, open());
        cast(*client, send(other, frame(fin | binary, std::string(1'200'000, 'm')), true));
        over = co_await call(*client, await(other), patient);
    });
    EXPECT_TRUE(describe(whole.body).ends_with(";close 1000"));
    EXPECT_GT(whole.body.size(), 1'000'000U);
    EXPECT_EQ(describe(over.body), "text hello;close 1009");
}

TEST(Http2WebSocket, what_comes_before_the_answer_waits_and_holds_its_client_back) {
    std::int32_t before = -1, after = -1;
    Http2Reply reply;
    HttpServerOptions server;
    server.http2.stream_window = 1000;
    serve({.server = server}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open({}, "/late"));
        cast(*client, send(id, frame(fin | text, std::string(3000, 'x'))));
        co_await sleep(1s);
        before = co_await call(*client, Http2Client::Window{id});
        co_await sleep(2s);
        after = co_await call(*client, Http2Client::Window{id});
        cast(*client, send(id, close_frame(1000), true));
        reply = co_await call(*client, await(id), patient);
    });
    EXPECT_EQ(before, 0);
    EXPECT_GT(after, 0);
    EXPECT_EQ(describe(reply.body), "text hello;text " + std::string(200, 'x') + ";close 1000");
}

TEST(Http2WebSocket, a_client_that_does_not_read_is_let_go_of_and_others_go_on) {
    LogCapture log;
    Http2Reply slow, other;
    auto seen = serve({.socket = {.max_outbox = 500'000}}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address,
                                                  Http2Client::Options{.keep_windows_shut = true});
        const auto id = co_await call(*client, open());
        for (int i = 0; i < 20; ++i) {
            cast(*client, send(id, frame(fin | text, "flood")));
            co_await sleep(100ms);
        }
        slow = co_await call(*client, await(id), patient);
        other = co_await call(*client, Http2Client::Ask{{{":path", "/x"}, {":method", "HEAD"}}});
    });
    EXPECT_TRUE(log.contains("a slow socket is disconnected"));
    EXPECT_FALSE(slow.ended);
    EXPECT_EQ(slow.error, 8U);  // CANCEL
    EXPECT_EQ(other.status, 200);
    EXPECT_EQ(seen->closed, std::vector<std::string>{"1006"});
}

TEST(Http2WebSocket, a_message_over_the_bound_makes_nobody_slow_and_more_may_wait_beside_it) {
    LogCapture log;
    Http2Reply whole, stopped;
    const WebSocketOptions socket{.max_message = 1'100'000, .max_outbox = 500'000};
    const std::string large = frame(fin | binary, std::string(1'000'000, 'm'));
    auto seen = serve({.socket = socket}, [&](SocketAddress address) -> Task<> {
        auto quick = co_await start<Http2Client>({}, address);
        auto id = co_await call(*quick, open());
        for (int i = 0; i < 3; ++i) {
            cast(*quick, send(id, large + frame(fin | text, "flood")));
            co_await sleep(1s);
        }
        cast(*quick, send(id, close_frame(1000), true));
        whole = co_await call(*quick, await(id), patient);
        EXPECT_FALSE(log.contains("a slow socket is disconnected"));

        auto slow = co_await start<Http2Client>({}, address,
                                                Http2Client::Options{.keep_windows_shut = true});
        id = co_await call(*slow, open());
        cast(*slow, send(id, large));
        for (int i = 0; i < 4; ++i) {
            cast(*slow, send(id, frame(fin | text, "flood")));
            co_await sleep(1s);
        }
        EXPECT_FALSE(log.contains("a slow socket is disconnected"));
        for (int i = 0; i < 2; ++i) cast(*slow, send(id, frame(fin | text, "flood")));
        stopped = co_await call(*slow, await(id), patient);
    });
    EXPECT_TRUE(log.contains("a slow socket is disconnected"));
    EXPECT_GT(whole.body.size(), 3'300'000U);
    EXPECT_TRUE(whole.ended);
    EXPECT_EQ(stopped.error, 8U);  // CANCEL
    EXPECT_EQ(seen->closed, (std::vector<std::string>{"1000", "1006"}));
}

BENNU_SIM_TEST(Http2WebSocket, a_slow_client_is_known_until_it_has_read_everything, options) {
    Http2Reply reply;
    auto seen = serve({.socket = {.slow_outbox = 80'000}, .sim = options},
                      [&](SocketAddress address) -> Task<> {
                          auto client = co_await start<Http2Client>({}, address);
                          const auto id = co_await call(*client, open());
                          for (const char* round : {"caught up 1", "caught up 2"}) {
                              cast(*client, send(id, frame(fin | text, "flood")));
                              reply = co_await call(*client, await(id, round), patient);
                          }
                          cast(*client, send(id, close_frame(1000), true));
                          reply = co_await call(*client, await(id), patient);
                      });
    EXPECT_EQ(seen->drained, 2);
    EXPECT_GT(reply.body.size(), 200'000U);
}

TEST(Http2WebSocket, closing_by_the_server_waits_for_the_client) {
    Http2Reply before, after, stubborn;
    Duration took{};
    auto seen = serve({}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open());
        cast(*client, send(id, frame(fin | text, "leave")));
        before = co_await call(*client, await(id, "bye"), patient);
        cast(*client, send(id, close_frame(4000), true));
        after = co_await call(*client, await(id), patient);
        // A client that answers, but never ends its side of the stream.
        const auto other = co_await call(*client, open());
        const Instant began = now();
        cast(*client, send(other, frame(fin | text, "leave") + close_frame(4000)));
        stubborn = co_await call(*client, await(other), patient);
        took = now() - began;
    });
    EXPECT_EQ(describe(before.body), "text hello;close 4000");
    EXPECT_FALSE(before.ended);
    EXPECT_TRUE(after.ended);
    EXPECT_EQ(after.error, 0U);
    EXPECT_TRUE(stubborn.ended);
    EXPECT_EQ(stubborn.error, 0U);  // NO_ERROR
    EXPECT_GT(took, 1s);
    EXPECT_LT(took, 5s);
    EXPECT_EQ(seen->closed, (std::vector<std::string>{"4000", "4000"}));
}

TEST(Http2WebSocket, an_end_without_a_close_and_a_reset_are_lost_connections) {
    Http2Reply ended, after;
    auto seen = serve({}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open());
        (void)co_await call(*client, await(id, "hello"));
        cast(*client, send(id, frame(fin | text, "last"), true));
        ended = co_await call(*client, await(id), patient);
        const auto other = co_await call(*client, open());
        (void)co_await call(*client, await(other, "hello"));
        // In the middle of a message.
        cast(*client, send(other, frame(text, "begun")));
        co_await sleep(10ms);
        cast(*client, Http2Client::Reset{other});
        co_await sleep(10ms);
        after = co_await call(*client, get("/after"));
    });
    EXPECT_EQ(describe(ended.body), "text hello;text last;end");
    EXPECT_TRUE(ended.ended);
    EXPECT_EQ(ended.error, 0U);
    EXPECT_EQ(after.status, 200);
    EXPECT_EQ(seen->closed, (std::vector<std::string>{"1006", "1006"}));
}

BENNU_SIM_TEST(Http2WebSocket, sockets_share_their_connection_with_requests, options) {
    Http2Reply first, second, lines, post;
    serve({.sim = options}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto one = co_await call(*client, open());
        const auto two = co_await call(*client, open());
        lines = co_await call(*client, get("/lines"));
        cast(*client, send(one, frame(fin | text, "to one")));
        post = co_await call(*client,
                             Http2Client::Ask{{{":method", "POST"}, {":path", "/p"}}, "body"});
        cast(*client, send(two, frame(fin | text, "to two") + close_frame(1000), true));
        second = co_await call(*client, await(two), patient);
        cast(*client, send(one, frame(fin | text, "again") + close_frame(1000), true));
        first = co_await call(*client, await(one), patient);
    });
    EXPECT_EQ(lines.body, "line 0\nline 1\nline 2\n");
    EXPECT_EQ(post.body, "POST /p body");
    EXPECT_EQ(describe(first.body), "text hello;text to one;text again;close 1000");
    EXPECT_EQ(describe(second.body), "text hello;text to two;close 1000");
}

BENNU_SIM_TEST(Http2WebSocket, a_server_that_stops_says_1012, options) {
    Http2Reply reply;
    Duration took{};
    auto handler = std::make_shared<Handler>();
    simulate(options, [&]() -> Task<Result<>> {
        const SocketAddress address{"127.0.0.1", 8000};
        std::shared_ptr<const HttpHandler> shared = handler;
        auto server = co_await start<HttpServer>({}, HttpServerOptions{.address = address}, shared);
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open());
        (void)co_await call(*client, await(id, "hello"), patient);
        const Instant began = now();
        stop(server->pid());
        (void)co_await call(*client, await(id, "the server restarts"), patient);
        cast(*client, send(id, close_frame(1012), true));
        reply = co_await call(*client, await(id), patient);
        EXPECT_EQ(co_await call(*client, Http2Client::AwaitGoaway{}, patient), 0U);
        (void)co_await call(*client, Http2Client::AwaitClose{}, patient);
        took = now() - began;
        co_return {};
    });
    EXPECT_EQ(describe(reply.body), "text hello;close 1012");
    EXPECT_TRUE(reply.ended);
    EXPECT_EQ(reply.error, 0U);
    EXPECT_LT(took, 5s);
    EXPECT_EQ(handler->seen->closed, std::vector<std::string>{"1012"});
}

}  // namespace bennu::net::http2_websocket_test
