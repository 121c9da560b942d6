// RFC 6455 and RFC 7692, clause by clause, over a raw connection.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/net/websocket_deflate.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/net/websocket_testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::websocket_conformance_test {

using namespace std::chrono_literals;
using namespace ws;

struct Echo : WebSocketHandler {
    void on_open(WebSocketConnection&) override {}
    void on_text(WebSocketConnection& socket, std::string_view text) override {
        socket.send_text(text);
    }
    void on_binary(WebSocketConnection& socket, std::string_view data) override {
        socket.send_binary(data);
    }
};

struct EchoServer : HttpHandler {
    WebSocketOptions options = {};
    BodyPlan body_plan(const RequestHead&) const override { return {.limit = 1000}; }
    Task<HttpResponse> handle(HttpRequest request) const override {
        auto check = check_websocket_request(request.head);
        if (!check.ok) {
            HttpResponse refused = failure(check.refusal.status, check.refusal.code, {});
            refused.headers = refusal_headers(check.refusal);
            co_return refused;
        }
        HttpResponse response;
        response.status = 101;
        response.websocket = std::make_unique<WebSocketUpgrade>(std::make_unique<Echo>(), options);
        response.headers = accept_websocket(check.request, {}, response.websocket->options);
        co_return response;
    }
    HttpResponse failure(int status, std::string_view code, std::string_view) const override {
        HttpResponse response;
        response.status = status;
        response.body = std::string(code);
        return response;
    }
};

std::string handshake(std::string_view fields = {}) {
    return "GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
           "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           std::string(fields) + "\r\n";
}

/// Everything that the server sends for these bytes, up to its close.
std::string answer_to(SimOptions sim, std::string bytes, WebSocketOptions options = {},
                      Duration pause = {}, std::string later = {}) {
    std::string answer;
    simulate(sim, [&]() -> Task<Result<>> {
        auto own = std::make_shared<EchoServer>();
        own->options = options;
        std::shared_ptr<const HttpHandler> handler = own;
        auto server = co_await start<HttpServer>(
            {}, HttpServerOptions{.address = {"127.0.0.1", 8000}}, handler);
        auto client = co_await start<RawClient>({}, SocketAddress{"127.0.0.1", 8000});
        cast(*client, RawClient::Send{bytes});
        if (!later.empty()) {
            co_await sleep(pause);
            cast(*client, RawClient::Send{later});
        }
        answer = co_await call(*client, RawClient::ReadAll{}, {.timeout = 200s});
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
    return answer;
}

/// The frames behind the handshake, as text.
std::string frames_of(std::string answer, const DeflateAgreement* agreed = nullptr) {
    std::size_t head = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 101 ") || head == std::string::npos) return "no handshake";
    return describe(answer.substr(head + 4), agreed);
}

std::string bye() {
    return close_frame(1000);
}

struct Clause {
    const char* what;
    std::string sent;
    std::string expected;
};

/// Each in one piece and, since the simulated network cuts it, in many.
void check(const std::vector<Clause>& clauses, WebSocketOptions options = {}) {
    for (const Clause& clause : clauses) {
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            SimOptions sim{.seed = seed, .shards = 1};
            sim.network.partial = 0.2 * static_cast<double>(seed - 1);
            EXPECT_EQ(frames_of(answer_to(sim, handshake() + clause.sent, options)),
                      clause.expected)
                << clause.what << " seed " << seed;
        }
    }
}

TEST(WebSocketConformance, framing) {
    std::string unmasked = "\x81\x02hi";
    std::string k16(300, 'k'), k64(70'000, 'K');
    WebSocketOptions large{.max_message = 100'000};
    check(
        {
            {"5.2 text", frame(fin | text, "hi") + bye(), "text hi;close 1000"},
            {"5.2 binary", frame(fin | binary, "\x01\xff") + bye(), "binary \x01\xff;close 1000"},
            {"5.2 empty", frame(fin | text, "") + bye(), "text ;close 1000"},
            {"5.2 length of 16 bits", frame(fin | text, k16) + bye(),
             "text " + k16.substr(0, 200) + ";close 1000"},
            {"5.2 length of 64 bits", frame(fin | text, k64) + bye(),
             "text " + k64.substr(0, 200) + ";close 1000"},
            {"5.2 RSV1 without an extension", frame(fin | rsv1 | text, "hi"), "close 1002"},
            {"5.2 RSV2", frame(fin | rsv2 | text, "hi"), "close 1002"},
            {"5.2 RSV3", frame(fin | rsv3 | text, "hi"), "close 1002"},
            {"5.2 RSV on a control frame", frame(fin | rsv1 | ping, "hi"), "close 1002"},
            {"5.2 reserved opcode 3", frame(fin | 3, "hi"), "close 1002"},
            {"5.2 reserved opcode 7", frame(fin | 7, "hi"), "close 1002"},
            {"5.2 reserved opcode 11", frame(fin | 11, "hi"), "close 1002"},
            {"5.2 reserved opcode 15", frame(fin | 15, "hi"), "close 1002"},
            {"5.2 16 bits for a short length",
             std::string("\x81\xfe\x00\x02\x00\x00\x00\x00hi", 10), "close 1002"},
            {"5.2 64 bits for a short length",
             std::string("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00", 14),
             "close 1002"},
            {"5.2 the highest bit of a length",
             std::string("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14),
             "close 1002"},
            {"5.1 an unmasked frame", unmasked, "close 1002"},
            {"5.3 a mask of zeros masks too", std::string("\x81\x82\x00\x00\x00\x00hi", 8) + bye(),
             "text hi;close 1000"},
            {"1 over the limit of messages", frame(fin | text, std::string(100'001, 'x')),
             "close 1009"},
        },
        large);
}

TEST(WebSocketConformance, fragmentation) {
    check({
        {"5.4 in three parts",
         frame(text, "a") + frame(continuation, "b") + frame(fin | continuation, "c") + bye(),
         "text abc;close 1000"},
        {"5.4 empty parts",
         frame(text, "") + frame(continuation, "") + frame(fin | continuation, "") + bye(),
         "text ;close 1000"},
        {"5.4 a control frame in between",
         frame(binary, "a") + frame(fin | ping, "p") + frame(fin | continuation, "b") + bye(),
         "pong p;binary ab;close 1000"},
        {"5.4 a message inside a message", frame(text, "a") + frame(fin | text, "b"), "close 1002"},
        {"5.4 a continuation of nothing", frame(fin | continuation, "a"), "close 1002"},
        {"5.4 a continuation after the end", frame(fin | text, "a") + frame(continuation, "b"),
         "text a;close 1002"},
        {"5.5 a fragmented ping", frame(ping, "p"), "close 1002"},
        {"5.5 a fragmented close", frame(closing, ""), "close 1002"},
        {"1 parts over the limit together",
         frame(text, std::string(40'000, 'x')) + frame(continuation, std::string(40'000, 'x')),
         "close 1009"},
        {"5.4 many parts",
         [] {
             std::string parts = frame(text, "s");
             for (int i = 0; i < 500; ++i) parts += frame(continuation, "x");
             return parts + frame(fin | continuation, "e") + bye();
         }(),
         "text s" + std::string(199, 'x') + ";close 1000"},
    });
}

TEST(WebSocketConformance, control_frames) {
    check({
        {"5.5.2 ping", frame(fin | ping, "are you there") + bye(), "pong are you there;close 1000"},
        {"5.5.2 an empty ping", frame(fin | ping, "") + bye(), "pong ;close 1000"},
        {"5.5.2 125 bytes", frame(fin | ping, std::string(125, 'p')) + bye(),
         "pong " + std::string(125, 'p') + ";close 1000"},
        {"5.5 126 bytes", frame(fin | ping, std::string(126, 'p')), "close 1002"},
        {"5.5.3 a pong nobody asked for", frame(fin | pong, "x") + bye(), "close 1000"},
        {"5.5.2 pings in their order",
         frame(fin | ping, "1") + frame(fin | ping, "2") + frame(fin | ping, "3") + bye(),
         "pong 1;pong 2;pong 3;close 1000"},
        {"5.5.1 nothing after a close", bye() + frame(fin | text, "late") + frame(fin | ping, "x"),
         "close 1000"},
    });
}

TEST(WebSocketConformance, closing) {
    std::vector<Clause> clauses = {
        {"5.5.1 without a code", frame(fin | closing, ""), "close 1000"},
        {"5.5.1 a code of one byte", frame(fin | closing, "\x03"), "close 1002"},
        {"7.1.6 a reason", close_frame(1000, "good by\xc3\xa9"), "close 1000"},
        {"7.1.6 a reason of 123 bytes", close_frame(1000, std::string(123, 'r')), "close 1000"},
        {"5.5 a reason of 124 bytes", close_frame(1000, std::string(124, 'r')), "close 1002"},
        {"5.5.1 a reason that is not UTF-8", close_frame(1000, "\xff"), "close 1007"},
    };
    for (int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000,
                     3999, 4000, 4999}) {
        clauses.push_back(
            {"7.4.1 a code that may travel", close_frame(code), "close " + std::to_string(code)});
    }
    for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535})
        clauses.push_back({"7.4.2 a code that may not", close_frame(code), "close 1002"});
    check(clauses);
}

TEST(WebSocketConformance, text_is_utf_8) {
    const std::string kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
    check({
        {"8.1 two and three bytes", frame(fin | text, kosme) + bye(),
         "text " + kosme + ";close 1000"},
        {"8.1 four bytes", frame(fin | text, "\xf4\x8f\xbf\xbf") + bye(),
         "text \xf4\x8f\xbf\xbf;close 1000"},
        {"5.6 a character over two frames",
         frame(text, kosme.substr(0, 3)) + frame(fin | continuation, kosme.substr(3)) + bye(),
         "text " + kosme + ";close 1000"},
        {"8.1 a lone byte", frame(fin | text, "\x80"), "close 1007"},
        {"8.1 overlong", frame(fin | text, "\xc0\xaf"), "close 1007"},
        {"8.1 a surrogate", frame(fin | text, "\xed\xa0\x80"), "close 1007"},
        {"8.1 beyond Unicode", frame(fin | text, "\xf4\x90\x80\x80"), "close 1007"},
        {"8.1 an unfinished character", frame(fin | text, "\xe1\xbd"), "close 1007"},
        {"8.1 found in the first part", frame(text, "a\xff"), "close 1007"},
        {"8.1 found in a later part", frame(text, kosme) + frame(continuation, "\xff"),
         "close 1007"},
        {"8.1 unfinished at the end of parts",
         frame(text, "\xe1") + frame(fin | continuation, "\xbd"), "close 1007"},
        {"5.6 binary may be anything", frame(fin | binary, "\xff\xfe\x80") + bye(),
         "binary \xff\xfe\x80;close 1000"},
    });
}

TEST(WebSocketConformance, opening) {
    auto status = [](std::string bytes) { return answer_to({}, std::move(bytes)).substr(9, 3); };
    auto without = [](std::string_view field) {
        std::string bytes = handshake("connection: close\r\n");
        std::size_t at = bytes.find(field);
        return bytes.erase(at, bytes.find("\r\n", at) + 2 - at);
    };
    EXPECT_EQ(status(without("upgrade: websocket")), "400");
    EXPECT_EQ(status(without("connection: Upgrade")), "400");
    EXPECT_EQ(status(without("sec-websocket-key")), "400");
    std::string version = answer_to({}, without("sec-websocket-version"));
    EXPECT_TRUE(version.starts_with("HTTP/1.1 426 ")) << version;
    EXPECT_TRUE(version.contains("sec-websocket-version: 13\r\n")) << version;
    std::string accepted = answer_to({}, handshake() + bye());
    EXPECT_TRUE(accepted.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    EXPECT_FALSE(accepted.contains("sec-websocket-extensions"));
}

// --- RFC 7692 ------------------------------------------------------------------------------------

TEST(WebSocketDeflateConformance, negotiation) {
    auto answer = [](std::string_view offers, bool takeover = false) {
        auto agreed = negotiate_deflate(offers, {.enabled = true, .context_takeover = takeover});
        return agreed ? agreed->answer : std::string("none");
    };
    const std::string stateless =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    EXPECT_EQ(answer("permessage-deflate"), stateless);
    EXPECT_EQ(answer("permessage-deflate; client_max_window_bits"), stateless);
    EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=10"), stateless);
    EXPECT_EQ(answer("Permessage-Deflate ;Server_No_Context_Takeover"), stateless);
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=10"),
              stateless + "; server_max_window_bits=10");
    EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"10\""),
              stateless + "; server_max_window_bits=10");
    EXPECT_EQ(answer("permessage-deflate", true), "permessage-deflate");
    EXPECT_EQ(answer("permessage-deflate; server_no_context_takeover", true),
              "permessage-deflate; server_no_context_takeover");
    EXPECT_EQ(answer("permessage-deflate; client_no_context_takeover", true),
              "permessage-deflate; client_no_context_takeover");
    // 7.1: offers that cannot be met are passed over; the next one may do.
    for (std::string_view declined :
         {"", "x-webkit-deflate-frame", "permessage-deflate; unknown",
          "permessage-deflate; server_no_context_takeover=1",
          "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
          "permessage-deflate; server_max_window_bits",
          "permessage-deflate; server_max_window_bits=7",
          "permessage-deflate; server_max_window_bits=16",
          "permessage-deflate; server_max_window_bits=8",
          "permessage-deflate; server_max_window_bits=010",
          "permessage-deflate; client_max_window_bits=16",
          "permessage-deflate; client_max_window_bits; client_max_window_bits"}) {
        EXPECT_EQ(answer(declined), "none") << declined;
        EXPECT_EQ(answer(std::string(declined) + ", permessage-deflate"), stateless) << declined;
    }
    EXPECT_FALSE(negotiate_deflate("permessage-deflate", {}));
}

struct Compressed {
    explicit Compressed(WebSocketDeflate deflate = {.enabled = true, .min_size = 10})
        : options{.max_message = 50'000, .deflate = deflate},
          agreed(*negotiate_deflate("permessage-deflate", deflate)),
          // The client compresses with what it may keep.
          client(DeflateAgreement{.server_takeover = agreed.client_takeover}, deflate, 1'000'000) {}

    std::string frames(std::string sent) {
        return frames_of(
            answer_to({}, handshake("sec-websocket-extensions: permessage-deflate\r\n") + sent,
                      options),
            &agreed);
    }
    WebSocketOptions options;
    DeflateAgreement agreed;
    MessageDeflate client;
};

TEST(WebSocketDeflateConformance, messages) {
    Compressed own;
    const std::string hello = "hello hello hello hello";
    std::string packed = own.client.compress(hello);
    EXPECT_EQ(own.frames(frame(fin | rsv1 | text, packed) + bye()),
              "text deflated " + hello + ";close 1000");
    // 6: a message may come uncompressed, and a short one leaves so.
    EXPECT_EQ(own.frames(frame(fin | text, "hi") + bye()), "text hi;close 1000");
    // 6.1: only the first frame of a message says that it is compressed.
    EXPECT_EQ(own.frames(frame(rsv1 | text, packed.substr(0, 3)) + frame(fin | ping, "p") +
                         frame(fin | continuation, packed.substr(3)) + bye()),
              "pong p;text deflated " + hello + ";close 1000");
    EXPECT_EQ(own.frames(frame(rsv1 | text, packed.substr(0, 3)) +
                         frame(fin | rsv1 | continuation, packed.substr(3))),
              "close 1002");
    EXPECT_EQ(own.frames(frame(fin | rsv1 | ping, "p")), "close 1002");
    EXPECT_EQ(own.frames(frame(fin | rsv1 | rsv2 | text, packed)), "close 1002");
    // 7.2.3.1, 7.2.3.3, 7.2.3.4 and 7.2.3.6: the RFC's own examples.
    const std::string examples[] = {
        std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7),
        std::string("\x00\x05\x00\xfa\xffHello\x00", 11),
        std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8),
        std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13),
    };
    for (const std::string& example : examples) {
        EXPECT_EQ(own.frames(frame(fin | rsv1 | text, example) + bye()), "text Hello;close 1000");
    }
    EXPECT_EQ(own.frames(frame(fin | rsv1 | text, std::string(1, '\0')) + bye()),
              "text ;close 1000");
    // What was compressed is still text.
    EXPECT_EQ(own.frames(frame(fin | rsv1 | text, own.client.compress("abc\xff"))), "close 1007");
    EXPECT_EQ(own.frames(frame(fin | rsv1 | binary, own.client.compress("abc\xff")) + bye()),
              "binary abc\xff;close 1000");
    EXPECT_EQ(own.frames(frame(fin | rsv1 | text, "\xff\xff\xff\xff")), "close 1007");
    EXPECT_EQ(
        own.frames(frame(fin | rsv1 | text, own.client.compress(std::string(13'000, 'a') + hello)) +
                   bye())
            .substr(0, 16),
        "text deflated aa");
}

/// `count` frames of one message, all but the last of them empty.
std::string pieces(int count) {
    std::string out = frame(text, "");
    for (int i = 2; i < count; ++i) out += frame(continuation, "");
    return out + frame(fin | continuation, "x");
}

std::string pings(int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += frame(fin | (i % 2 == 0 ? ping : pong), "");
    return out;
}

TEST(WebSocketConformance, floods) {
    LogCapture log;
    check({{"as many fragments as may be", pieces(1024) + pieces(1024) + bye(),
            "text x;text x;close 1000"},
           {"one more", pieces(1025) + bye(), "close 1008"}});
    EXPECT_TRUE(log.contains("too many fragments"));
    check({{"a limit of its own", pieces(4) + bye(), "close 1008"}}, {.max_fragments = 3});
    check({{"no limit", pieces(3000) + bye(), "text x;close 1000"}}, {.max_fragments = 0});
    const WebSocketOptions few{.control_frames_per_second = 1, .control_frame_burst = 2};
    check({{"pings and pongs within the burst", pings(3) + bye(), "pong ;pong ;close 1000"},
           {"one more", pings(4) + bye(), "pong ;pong ;close 1008"}},
          few);
    EXPECT_TRUE(log.contains("too many control frames"));
    EXPECT_TRUE(frames_of(answer_to({.shards = 1}, handshake() + pings(101) + bye()))
                    .ends_with(";pong ;close 1000"));
    EXPECT_TRUE(frames_of(answer_to({.shards = 1}, handshake() + pings(150) + bye()))
                    .ends_with(";pong ;close 1008"));
    EXPECT_TRUE(frames_of(answer_to({.shards = 1}, handshake() + pings(3000) + bye(),
                                    {.control_frames_per_second = 0}))
                    .ends_with(";pong ;close 1000"));
    // The rate comes back.
    EXPECT_EQ(
        frames_of(answer_to({.shards = 1}, handshake() + pings(3), few, 3s, pings(3) + bye())),
        "pong ;pong ;pong ;pong ;close 1000");
}

TEST(WebSocketDeflateConformance, bombs) {
    Compressed own;
    // Within 16 KiB any ratio; beyond them 25 to 1.
    EXPECT_EQ(own.frames(frame(fin | rsv1 | binary, own.client.compress(std::string(40'000, 'a')))),
              "close 1009");
    std::string noisy;
    Random random(7);
    while (noisy.size() < 40'000) noisy += static_cast<char>(random.below(16) + 'a');
    EXPECT_TRUE(own.frames(frame(fin | rsv1 | binary, own.client.compress(noisy)) + bye())
                    .starts_with("binary deflated "));
    while (noisy.size() < 60'000) noisy += static_cast<char>(random.below(16) + 'a');
    EXPECT_EQ(own.frames(frame(fin | rsv1 | binary, own.client.compress(noisy))), "close 1009");
    std::string deep = own.client.compress(std::string(10'000'000, '\0'));
    EXPECT_EQ(own.frames(frame(fin | rsv1 | binary, deep)), "close 1009");
}

TEST(WebSocketDeflateConformance, context_takeover) {
    Compressed own({.enabled = true, .context_takeover = true, .min_size = 10});
    const std::string words = "the quick brown fox jumps over the lazy dog";
    std::string first = own.client.compress(words), second = own.client.compress(words);
    EXPECT_LT(second.size(), first.size() / 2);
    EXPECT_EQ(
        own.frames(frame(fin | rsv1 | text, first) + frame(fin | rsv1 | text, second) + bye()),
        "text deflated " + words + ";text deflated " + words + ";close 1000");
    // 7.2.3.6: as many messages of nothing as one likes.
    own.client.compress("");
    EXPECT_EQ(own.client.compress(""), std::string(1, '\0'));
    Compressed without;
    std::string again = without.client.compress(words);
    EXPECT_EQ(again, without.client.compress(words));
}

}  // namespace bennu::net::websocket_conformance_test
