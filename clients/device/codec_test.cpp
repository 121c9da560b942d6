#include <gtest/gtest.h>

#include "clients/device/handshake.hpp"
#include "clients/device/json_scan.hpp"
#include "clients/device/message.hpp"
#include "clients/device/position.hpp"
#include "clients/device/url.hpp"

namespace bennu::device {
namespace codec_tests {

TEST(DeviceJson, takes_what_is_json_and_nothing_else) {
    for (const char* text : {"{}", "[]", " null ", "true", "false", "0", "-0", "12.5e-3", "1E+9",
                             R"("")", R"({"a":[1,{"b":null}],"c":"\u00e9\ud83d\ude00\n"})",
                             "[1 , 2\t,\r\n3 ]", R"("\ud800")"}) {
        EXPECT_TRUE(is_json(text)) << text;
    }
    for (const char* text : {"",         " ",
                             "{",        "}",
                             "[1,]",     "{,}",
                             R"({"a"})", R"({"a":1,})",
                             R"({a:1})", "01",
                             "+1",       ".5",
                             "1.",       "1e",
                             "-",        "tru",
                             "nulll",    R"(")",
                             R"("\x")",  R"("\u12g4")",
                             "\"\n\"",   "1 2",
                             "'a'",      "[1]]",
                             "NaN",      R"({"a":1 "b":2})"}) {
        EXPECT_FALSE(is_json(text)) << text;
    }
    EXPECT_TRUE(is_json(std::string(100, '[') + std::string(100, ']')));
    EXPECT_FALSE(is_json(std::string(101, '[') + std::string(101, ']')));
    EXPECT_FALSE(is_json(std::string(100'000, '[')));
}

TEST(DeviceJson, finds_members_and_reads_strings) {
    EXPECT_EQ(json_member(R"({"a":1,"b":{"a":2}})", "b"), R"({"a":2})");
    EXPECT_EQ(json_member(R"({"a":1,"\u0061":2})", "a"), "2");
    EXPECT_EQ(json_member(R"({"\ud800":1,"a":2})", "a"), "2");
    EXPECT_EQ(json_member(R"({"a":1})", "b"), std::nullopt);
    EXPECT_EQ(json_member(R"(["a"])", "a"), std::nullopt);
    EXPECT_EQ(json_member(R"({"a":1)", "a"), std::nullopt);
    std::string text;
    EXPECT_TRUE(JsonScanner(R"("a\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00")").string(text));
    EXPECT_EQ(text, "a\"\\/\b\f\n\r\t\u00e9\u20ac\U0001F600");
    for (std::string_view half : {R"("<\ud83d>")", R"("<\udf80>")"}) {
        EXPECT_TRUE(JsonScanner(half).string(text));
        EXPECT_EQ(text, "<\xef\xbf\xbd>");
    }
    EXPECT_TRUE(JsonScanner(R"("\ud83d\u0041\ud83d\ud83d\ude00")").string(text));
    EXPECT_EQ(text,
              "\xef\xbf\xbd"
              "A\xef\xbf\xbd\xf0\x9f\x98\x80");
    EXPECT_FALSE(JsonScanner(R"("\ud83d\u00")").string(text));
    std::string written;
    append_json(written, "\x01\n\"\\\u00e9");
    EXPECT_EQ(written, "\"\\u0001\\u000a\\\"\\\\\u00e9\"");
    std::int64_t number = 0;
    EXPECT_TRUE(JsonScanner(" -9223372036854775808").integer(number));
    EXPECT_EQ(number, INT64_MIN);
    EXPECT_FALSE(JsonScanner("9223372036854775808").integer(number));
    EXPECT_FALSE(JsonScanner("1.5").integer(number));
    EXPECT_FALSE(JsonScanner("\"1\"").integer(number));
}

TEST(DeviceMessage, reads_frames_and_refuses_what_is_none) {
    const auto push = read_text_frame(R"(["1",null,"room:\u0061","said",{"n":[1, 2]}])");
    ASSERT_TRUE(push);
    EXPECT_EQ(push->join_ref, "1");
    EXPECT_EQ(push->ref, std::nullopt);
    EXPECT_EQ(push->topic, "room:a");
    EXPECT_EQ(push->event, "said");
    EXPECT_EQ(push->payload, R"({"n":[1, 2]})");
    const auto reply =
        read_text_frame(R"([null,"2","t","phx_reply",{"status":"ok","response":{"a":1}}])");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, "ok");
    EXPECT_EQ(reply->response, R"({"a":1})");
    for (const char* text :
         {"", "[]", R"(["1","2","t","e"])", R"(["1","2","t","e",{},1])", R"([1,"2","t","e",{}])",
          R"(["1","2",null,"e",{}])", R"(["1","2","t","e",{}] x)", R"(["1","2","t","e",{])",
          R"(["1","2","t","phx_reply",{"status":"ok"}])", R"(["1","2","t","phx_reply",7])",
          R"(["1","2","t","phx_reply",{"status":1,"response":{}}])"}) {
        EXPECT_FALSE(read_text_frame(text)) << text;
    }
}

TEST(DeviceMessage, reads_the_three_binary_kinds) {
    using namespace std::string_view_literals;
    const auto push = read_binary_frame(
        "\x00\x01\x06\x07"
        "1room:apushbin\x09"sv);
    ASSERT_TRUE(push);
    EXPECT_EQ(push->join_ref, "1");
    EXPECT_EQ(push->event, "pushbin");
    EXPECT_EQ(push->payload, "\x09");
    const auto reply = read_binary_frame(
        "\x01\x01\x01\x06\x02"
        "13room:aok\x07\x08\xff"sv);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->ref, "3");
    EXPECT_EQ(reply->status, "ok");
    EXPECT_EQ(reply->response, "\x07\x08\xff");
    const auto all = read_binary_frame("\x02\x06\x06room:aallbin"sv);
    ASSERT_TRUE(all);
    EXPECT_EQ(all->join_ref, std::nullopt);
    EXPECT_EQ(all->payload, "");
    for (const std::string_view bytes :
         {""sv, "\x00"sv, "\x03\x01\x01xy"sv, "\x02\x06\x06room:a"sv, "\x01\x01\x01\x06"sv}) {
        EXPECT_FALSE(read_binary_frame(bytes));
    }
}

TEST(DevicePosition, is_a_map_and_nothing_else) {
    EXPECT_EQ(read_position(R"({"e1":17,"e\"2":4})"), (Position{{"e1", 17}, {"e\"2", 4}}));
    EXPECT_EQ(write_position({{"e1", 17}, {"e\"2", 4}}), R"({"e\"2":4,"e1":17})");
    for (const char* text : {"", "{}", "[]", R"({"e1":"17"})", R"({"e1":1.5})", R"({"e1":1}x)"}) {
        EXPECT_EQ(read_position(text), Position()) << text;
    }
    Position position{{"e1", 3}};
    EXPECT_FALSE(is_new(position, R"({"_at":["e1",3]})"));
    EXPECT_TRUE(is_new(position, R"({"_at":["e1",4]})"));
    EXPECT_TRUE(is_new(position, R"({"_at":["e2",1]})"));
    EXPECT_TRUE(is_new(position, R"({"_at":"odd"})"));
    EXPECT_TRUE(is_new(position, "[]"));
    // A server that knows nothing of it gives nothing of what was missed.
    EXPECT_EQ(read_join("{}", Asked::yes).how, Continuation::resync);
    EXPECT_EQ(read_join("{}", Asked::no).how, Continuation::fresh);
    EXPECT_FALSE(read_join(R"({"resume":7})", Asked::no).durable);
    const JoinedAt resumed =
        read_join(R"({"resume":{"status":"resumed","position":{"e1":3}}})", Asked::yes);
    EXPECT_EQ(resumed.how, Continuation::resumed);
    EXPECT_TRUE(resumed.durable);
    EXPECT_EQ(resumed.position, (Position{{"e1", 3}}));
}

TEST(DeviceUrl, is_ws_or_wss_with_a_path) {
    const auto secure = parse_url("wss://example.com/socket");
    ASSERT_TRUE(secure);
    EXPECT_TRUE(secure->secure);
    EXPECT_EQ(secure->port, 443);
    EXPECT_EQ(secure->authority(), "example.com");
    EXPECT_EQ(secure->target({}), "/socket/websocket?vsn=2.0.0");
    const auto plain = parse_url("ws://[::1]:4000");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->host, "::1");
    EXPECT_EQ(plain->authority(), "[::1]:4000");
    EXPECT_EQ(plain->target({{"a b", "c&d\xc3\xa9"}}), "/websocket?a%20b=c%26d%C3%A9&vsn=2.0.0");
    for (const char* text : {"", "http://a/", "wss://", "wss:///x", "ws://a:0/", "ws://a:65536/",
                             "ws://a:x/", "ws://user@a/", "ws://a/?x=1", "ws://a/#x", "ws://a/b c",
                             "ws://a b/", "ws://[::1", "ws://[::1]x/", "ws://a\r\nb/"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

TEST(DeviceHandshake, asks_as_the_protocol_says_and_takes_only_the_right_answer) {
    Handshake handshake{.authority = "example.com",
                        .target = "/socket/websocket?vsn=2.0.0",
                        .key = "dGhlIHNhbXBsZSBub25jZQ==",
                        .auth_token = "secret",
                        .headers = "X-Id: 7\r\n"};
    EXPECT_EQ(handshake.request(),
              "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n"
              "Host: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
              "Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.c2VjcmV0\r\n"
              "X-Id: 7\r\n\r\n");
    const std::string good =
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, "
        "Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "sec-websocket-protocol: phoenix\r\n\r\n";
    const HandshakeAnswer answer = read_answer(good + "frame", handshake);
    EXPECT_EQ(answer.kind, HandshakeAnswer::Kind::accepted) << answer.problem;
    EXPECT_EQ(answer.consumed, good.size());
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_EQ(read_answer(good.substr(0, size), handshake).kind,
                  HandshakeAnswer::Kind::incomplete);
    }
    auto without = [&](std::string_view what, std::string_view instead) {
        std::string changed = good;
        return changed.replace(changed.find(what), what.size(), instead);
    };
    for (const std::string& bad :
         {without("101", "403"), without("HTTP/1.1", "HTTP/1.0"), without("WebSocket", "h2c"),
          without("keep-alive, Upgrade", "close"), without("s3pP", "s3pp"),
          without(": phoenix", ": other"), without("upgrade: ", "upgrade "),
          without("sec-websocket-protocol: phoenix", "sec-websocket-extensions: x"),
          "HTTP/1.1 101 " + std::string(20'000, 'x')}) {
        EXPECT_EQ(read_answer(bad, handshake).kind, HandshakeAnswer::Kind::refused) << bad;
    }
    handshake.auth_token.clear();
    EXPECT_EQ(read_answer(good, handshake).kind, HandshakeAnswer::Kind::refused);
    EXPECT_EQ(read_answer("HTTP/1.1 403 Forbidden\r\n\r\n", handshake).problem,
              "the server answered 403 Forbidden");
}

}  // namespace codec_tests
}  // namespace bennu::device
