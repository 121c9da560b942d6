// What a WebSocket over HTTP/2 may not do, or cost, and what becomes of it when things go wrong.
#include "bennu/net/http2_websocket_test.hpp"

namespace bennu::net::http2_websocket_test {

TEST(Http2WebSocket, a_crash_and_a_kill_end_nothing_but_their_stream) {
    LogCapture log;
    Http2Reply crashed, killed, other;
    serve({}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto witness = co_await call(*client, open());
        const auto one = co_await call(*client, open());
        cast(*client, send(one, frame(fin | text, "crash")));
        cast(*client, send(one, close_frame(1011), true));
        crashed = co_await call(*client, await(one), patient);
        cast(*client, send(witness, frame(fin | text, "still here") + close_frame(1000), true));
        other = co_await call(*client, await(witness), patient);
    });
    EXPECT_EQ(describe(crashed.body), "text hello;close 1011");
    EXPECT_TRUE(log.contains("a socket handler crashed"));
    EXPECT_EQ(describe(other.body), "text hello;text still here;close 1000");

    auto handler = std::make_shared<Handler>();
    net::serve({.shards = 1}, {}, handler, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open());
        (void)co_await call(*client, await(id, "hello"));
        kill(handler->seen->sockets.at(0), "told to");
        killed = co_await call(*client, await(id), patient);
        other = co_await call(*client, get("/after"));
    });
    EXPECT_EQ(killed.error, 2U);  // INTERNAL_ERROR
    EXPECT_EQ(other.status, 200);
}

TEST(Http2WebSocket, a_connection_that_is_lost_or_misbehaves_takes_its_sockets_along) {
    LogCapture log;
    auto seen = serve({}, [&](SocketAddress address) -> Task<> {
        auto gone = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*gone, open());
        (void)co_await call(*gone, await(id, "hello"));
        kill(gone->pid());
        auto rude = co_await start<Http2Client>({}, address);
        const auto other = co_await call(*rude, open());
        (void)co_await call(*rude, await(other, "hello"));
        for (int i = 0; i < 300; ++i) {
            const auto next = co_await call(*rude, open());
            cast(*rude, Http2Client::Reset{next});
        }
        EXPECT_EQ(co_await call(*rude, Http2Client::AwaitGoaway{}, patient), 11U);
        co_await sleep(100ms);
    });
    EXPECT_EQ(seen->closed.size(), seen->sockets.size());
    EXPECT_GE(seen->closed.size(), 2U);
    for (const std::string& code : seen->closed) EXPECT_EQ(code, "1006");
}

TEST(Http2WebSocket, floods_of_frames_end_their_socket_and_no_other) {
    LogCapture log;
    Http2Reply pings, fragments, other;
    serve({}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto witness = co_await call(*client, open());
        const auto one = co_await call(*client, open());
        std::string sent;
        for (int i = 0; i < 1000; ++i) sent += frame(fin | ping, "");
        cast(*client, send(one, sent, true));
        pings = co_await call(*client, await(one), patient);
        const auto two = co_await call(*client, open());
        sent = frame(text, "");
        for (int i = 0; i < 2000; ++i) sent += frame(continuation, "");
        cast(*client, send(two, sent, true));
        fragments = co_await call(*client, await(two), patient);
        cast(*client, send(witness, frame(fin | text, "still here") + close_frame(1000), true));
        other = co_await call(*client, await(witness), patient);
    });
    EXPECT_TRUE(describe(pings.body).ends_with(";pong ;close 1008"));
    EXPECT_EQ(describe(fragments.body), "text hello;close 1008");
    EXPECT_TRUE(log.contains("too many control frames"));
    EXPECT_EQ(describe(other.body), "text hello;text still here;close 1000");
}

struct Refused {
    const char* what;
    Http2Client::Begin begin;
    int status;  ///< 0: the stream is reset
    const char* body = "";
    bool eager = true;  ///< sends something before it is answered
};

Http2Client::Begin changed(Fields fields, bool ends = false) {
    Http2Client::Begin begin = open();
    for (auto& [name, value] : fields) {
        std::erase_if(begin.fields, [&](const auto& field) { return field.first == name; });
        // Pseudo fields come first.
        begin.fields.insert(name.starts_with(':') ? begin.fields.begin() : begin.fields.end(),
                            {name, value});
    }
    begin.ends = ends;
    return begin;
}

TEST(Http2WebSocket, what_is_no_handshake_is_refused) {
    const Refused cases[] = {
        {"another protocol", changed({{":protocol", "connect-udp"}}), 501, "unknown_protocol"},
        {"a protocol without CONNECT", changed({{":method", "GET"}}), 0},
        {"no path", changed({{":path", "(none)"}}), 0},
        {"no scheme", changed({{":scheme", "(none)"}}), 0},
        {"no authority", changed({{":authority", "(none)"}}), 0},
        {"the path of a server", changed({{":path", "*"}}), 0},
        {"no version", changed({{"sec-websocket-version", "(none)"}}), 400, "unsupported_version"},
        {"version 8", changed({{"sec-websocket-version", "8"}}), 400, "unsupported_version"},
        {"a protocol that is no token", changed({{"sec-websocket-protocol", "a b"}}), 400,
         "bad_protocol"},
        {"a length", changed({{"content-length", "0"}}), 400, "bad_websocket_stream", false},
        {"an end", changed({}, true), 400, "bad_websocket_stream", false},
        {"a field of the connection", changed({{"upgrade", "websocket"}}), 0},
        {"a path without sockets", changed({{":path", "/x"}}), 400, "no_websocket"},
        {"a stream of text instead", changed({{":path", "/lines"}}), 400, "no_websocket"},
    };
    for (const Refused& refused : cases) {
        Http2Reply reply, after;
        serve({}, [&](SocketAddress address) -> Task<> {
            auto client = co_await start<Http2Client>({}, address);
            const auto id = co_await call(*client, refused.begin);
            if (refused.eager) cast(*client, send(id, frame(fin | text, "eager")));
            reply = co_await call(*client, await(id), patient);
            after = co_await call(*client, get("/after"));
        });
        EXPECT_EQ(reply.status, refused.status) << refused.what << " " << reply.body;
        EXPECT_EQ(reply.error, refused.status == 0 ? 1U : 0U) << refused.what;
        EXPECT_TRUE(reply.body.contains(refused.body)) << refused.what << " " << reply.body;
        if (reply.body.contains("unsupported_version"))
            EXPECT_EQ(reply.headers.get("sec-websocket-version"), "13");
        EXPECT_EQ(after.status, 200) << refused.what;
    }
}

TEST(Http2WebSocket, only_data_may_follow_the_handshake) {
    Http2Reply reply;
    auto seen = serve({}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto id = co_await call(*client, open());
        (void)co_await call(*client, await(id, "hello"));
        cast(*client, Http2Client::Send{id, frame(fin | text, "x"), true, {{"x-sum", "1"}}});
        reply = co_await call(*client, await(id), patient);
    });
    EXPECT_EQ(reply.error, 1U);  // PROTOCOL_ERROR
    EXPECT_EQ(seen->closed, std::vector<std::string>{"1006"});
}

TEST(Http2WebSocket, a_socket_counts_as_a_connection) {
    HttpServerOptions few{.max_connections = 2};
    Http2Reply full, admitted, per_ip;
    serve({.server = few, .sim = {.shards = 1}}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto first = co_await call(*client, open());
        (void)co_await call(*client, await(first, "hello"));
        const auto second = co_await call(*client, open());
        full = co_await call(*client, await(second), patient);
        cast(*client, send(first, close_frame(1000), true));
        (void)co_await call(*client, await(first), patient);
        const auto third = co_await call(*client, open());
        admitted = co_await call(*client, await(third, "hello"), patient);
    });
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(full.headers.get("retry-after"), "1");
    EXPECT_EQ(admitted.status, 200);
    HttpServerOptions lonely{.per_ip = 2, .per_ip_loopback = true};
    serve({.server = lonely}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<Http2Client>({}, address);
        const auto first = co_await call(*client, open());
        (void)co_await call(*client, await(first, "hello"));
        const auto second = co_await call(*client, open());
        per_ip = co_await call(*client, await(second), patient);
    });
    EXPECT_EQ(per_ip.status, 429);
}

TEST(Http2WebSocket, its_time_out_is_the_socket_s_then_the_connection_s) {
    Http2Reply kept, idle;
    Duration quiet{}, closed{};
    HttpServerOptions server;
    server.idle_timeout = 5s;
    serve({.socket = {.idle_timeout = 30s}, .server = server},
          [&](SocketAddress address) -> Task<> {
              auto client = co_await start<Http2Client>({}, address);
              const auto id = co_await call(*client, open());
              co_await sleep(20s);
              cast(*client, send(id, frame(fin | text, "still here")));
              kept = co_await call(*client, await(id, "still here"), patient);
              const Instant began = now();
              // One second later without an answer the socket is lost.
              idle = co_await call(*client, await(id), patient);
              quiet = now() - began;
              EXPECT_EQ(co_await call(*client, Http2Client::AwaitGoaway{}, patient), 0U);
              (void)co_await call(*client, Http2Client::AwaitClose{}, patient);
              closed = now() - began - quiet;
          });
    EXPECT_EQ(describe(kept.body), "text hello;text still here;end");
    EXPECT_EQ(describe(idle.body), "text hello;text still here;close 1001");
    EXPECT_GE(quiet, 30s);
    EXPECT_LT(quiet, 37s);
    EXPECT_GE(closed, 4s);
    EXPECT_LT(closed, 9s);
}

TEST(Http2WebSocket, sockets_leave_nothing_behind) {
    std::size_t during = 0, left = 99;
    auto handler = std::make_shared<Handler>();
    simulate({}, [&]() -> Task<Result<>> {
        const SocketAddress address{"127.0.0.1", 8000};
        std::shared_ptr<const HttpHandler> shared = handler;
        auto server = co_await start<HttpServer>({}, HttpServerOptions{.address = address}, shared);
        auto client = co_await start<Http2Client>({}, address);
        for (int i = 0; i < 5; ++i) {
            const auto id = co_await call(*client, open());
            (void)co_await call(*client, await(id, "hello"));
        }
        during = co_await call(*server, HttpServer::Connections{});
        kill(client->pid());
        co_await sleep(100ms);
        left = co_await call(*server, HttpServer::Connections{});
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(during, 6U);
    EXPECT_EQ(left, 0U);
}

}  // namespace bennu::net::http2_websocket_test
