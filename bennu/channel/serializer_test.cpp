#include "bennu/channel/serializer.hpp"

#include <gtest/gtest.h>

#include "bennu/channel/handshake.hpp"

namespace bennu::phoenix::serializer_test {

using namespace std::string_literals;

TEST(Serializer, reads_a_push) {
    ClientMessage m;
    ASSERT_TRUE(decode_text(R"(["1","3","room:a","echo",{"n":[1,"]"]}])", m));
    EXPECT_EQ(m.join_ref, Json("1"));
    EXPECT_EQ(m.ref, Json("3"));
    EXPECT_EQ(m.topic, "room:a");
    EXPECT_EQ(m.event, "echo");
    EXPECT_EQ(to_json(m.payload), R"({"n":[1,"]"]})");
    EXPECT_FALSE(m.binary);
}

TEST(Serializer, reads_nulls_white_space_escapes_and_any_payload) {
    ClientMessage m;
    ASSERT_TRUE(decode_text(" [ null , null , \"ro\\u006fm:\\\"a\" , \"\\n\" , 7 ] \n", m));
    EXPECT_TRUE(m.join_ref.is_null());
    EXPECT_TRUE(m.ref.is_null());
    EXPECT_EQ(m.topic, "room:\"a");
    EXPECT_EQ(m.event, "\n");
    EXPECT_EQ(m.payload, Json(7));
}

TEST(Serializer, refuses_everything_else) {
    for (std::string_view bad : {
             "",
             "x",
             "{}",
             "[]",
             "null",
             R"({"topic":"a","event":"b","payload":{},"ref":"1"})",
             R"(["1","1","a","b"])",
             R"(["1","1","a","b",])",
             R"(["1","1","a","b",{},1])",
             R"([1,"1","a","b",{}])",
             R"(["1",1,"a","b",{}])",
             R"(["1","1",null,"b",{}])",
             R"(["1","1","a",null,{}])",
             R"(["1","1","a","b",{})",
             R"(["1","1","a","b",{}]])",
             R"(["1","1","a","b",{}]x)",
             R"(["1","1","a\x","b",{}])",
             R"(["1","1","a,"b",{}])",
             R"(["1","1","\ud80","b",{}])",
             "[\"1\",\"1\",\"a\n\",\"b\",{}]",
             "[\"1\",\"1\",\"\xff\",\"b\",{}]",
             R"(["1","1","a","b",{"a":1 "a":2}])",
             "[\"1\",\"1\",\"a\",\"b\",{\"a\":\"\xff\"}]",
             "[\"1\",\"1\",\"a\",\"b\",\xef\xbb\xbf{}]",
         }) {
        ClientMessage m;
        auto read = decode_text(bad, m);
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error().code(), "bad_frame");
    }
    for (std::string_view legal : {R"({"a":1,"a":2})", "[1e999]"}) {
        ClientMessage m;
        const std::string frame = R"(["1","2","a","b",)" + std::string(legal) + "]";
        auto read = decode_text(frame, m);
        ASSERT_FALSE(read) << legal;
        EXPECT_EQ(read.error().code(), unreadable_payload);
        EXPECT_EQ(m.ref, Json("2"));
        EXPECT_EQ(m.event, "b");
    }
    ClientMessage m;
    EXPECT_FALSE(decode_text("[\"" + std::string(256, '1') + R"(",null,"a","b",{}])", m));
}

// proves 3.7
TEST(Serializer, binary_frames_are_as_specified_byte_for_byte) {
    ClientMessage m;
    const std::string push =
        "\x00\x01\x01\x06\x04"
        "13room:aecho\x07\x08"s;
    ASSERT_TRUE(decode_binary(push, m));
    EXPECT_EQ(m.join_ref, Json("1"));
    EXPECT_EQ(m.ref, Json("3"));
    EXPECT_EQ(m.topic, "room:a");
    EXPECT_EQ(m.event, "echo");
    EXPECT_EQ(m.data, "\x07\x08");
    EXPECT_TRUE(m.binary);

    std::string out;
    encode_binary_reply(out, "1", "3", "room:a", "ok", "\x07\x08\xff");
    EXPECT_EQ(out,
              "\x01\x01\x01\x06\x02"
              "13room:aok\x07\x08\xff"s);
    out.clear();
    encode_binary_push(out, "1", "room:a", "pushbin", "\x09");
    EXPECT_EQ(out,
              "\x00\x01\x06\x07"
              "1room:apushbin\x09"s);
    EXPECT_EQ(
        broadcast_message(Version::v2, Broadcast("room:a", "allbin", Bytes::copy("\x01\x02\x03"))),
        "\x02\x06\x06room:aallbin\x01\x02\x03"s);
    EXPECT_THROW(encode_binary_push(out, "1", std::string(256, 'x'), "e", ""), std::length_error);
}

TEST(Serializer, refuses_short_and_foreign_binary_frames) {
    for (std::string bad : {""s, "\x00"s, "\x00\x01\x01\x06"s, "\x01\x00\x00\x00\x00"s,
                            "\x00\x01\x01\x06\x04"
                            "13room:aech"s,
                            "\x00\x00\x00\x01\x00\xff"s}) {
        ClientMessage m;
        EXPECT_FALSE(decode_binary(bad, m));
    }
    ClientMessage m;
    ASSERT_TRUE(decode_binary("\x00\x00\x00\x00\x00"s, m));
    EXPECT_TRUE(m.join_ref.is_null());
    EXPECT_TRUE(m.ref.is_null());
}

TEST(Serializer, writes_text_frames) {
    std::string out;
    encode_reply(out, Version::v2, nullptr, "4", "phoenix", "ok", {});
    EXPECT_EQ(out, R"([null,"4","phoenix","phx_reply",{"status":"ok","response":{}}])");
    out.clear();
    encode_push(out, Version::v2, "1", "room:\"a", "new", Json::object({{"x", 1}}));
    EXPECT_EQ(out, R"(["1",null,"room:\"a","new",{"x":1}])");
    out.clear();
    encode_channel_crash(out, Version::v2, "1", "room:a");
    EXPECT_EQ(out, R"(["1","1","room:a","phx_error",{"reason":"channel_crash"}])");
    out.clear();
    encode_close(out, Version::v2, "1", "room:a");
    EXPECT_EQ(out, R"(["1","1","room:a","phx_close",{}])");
    EXPECT_EQ(
        broadcast_message(Version::v2, Broadcast("room:a", "shout", Json::object({{"a", "b"}}))),
        R"([null,null,"room:a","shout",{"a":"b"}])");
}

TEST(Serializer, reads_and_writes_objects_of_version_one) {
    ClientMessage m;
    ASSERT_TRUE(decode_v1(R"({"topic":"room:a","event":"echo","payload":{"n":1},"ref":"3"})", m));
    EXPECT_TRUE(m.join_ref.is_null());
    EXPECT_EQ(m.ref, Json("3"));
    EXPECT_EQ(m.topic, "room:a");
    EXPECT_EQ(m.event, "echo");
    EXPECT_EQ(to_json(m.payload), R"({"n":1})");
    ASSERT_TRUE(decode_v1(
        R"({"x":1,"ref":7,"join_ref":"1","payload":null,"event":"\u0065","topic":"a"})", m));
    EXPECT_EQ(m.ref, Json(7));
    EXPECT_EQ(m.join_ref, Json("1"));
    EXPECT_EQ(m.event, "e");

    std::string out;
    encode_reply(out, Version::v1, "1", "4", "phoenix", "ok", {});
    EXPECT_EQ(
        out,
        R"({"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"4"})");
    out.clear();
    encode_push(out, Version::v1, "1", "room:a", "new", Json::object({{"x", 1}}));
    EXPECT_EQ(out, R"({"topic":"room:a","event":"new","payload":{"x":1},"ref":null})");
    out.clear();
    encode_channel_crash(out, Version::v1, 1, "room:a");
    EXPECT_EQ(
        out,
        R"({"topic":"room:a","event":"phx_error","payload":{"reason":"channel_crash"},"ref":1})");
    out.clear();
    encode_close(out, Version::v1, "1", "room:a");
    EXPECT_EQ(out, R"({"topic":"room:a","event":"phx_close","payload":{},"ref":"1"})");
    EXPECT_EQ(broadcast_message(Version::v1, Broadcast("room:a", "shout", Json::object())),
              R"({"topic":"room:a","event":"shout","payload":{},"ref":null})");
}

TEST(Serializer, refuses_what_is_no_object_of_version_one) {
    for (std::string_view bad : {
             "",
             "{}",
             R"(["1","1","a","b",{}])",
             R"({"event":"b","payload":{},"ref":"1"})",
             R"({"topic":"a","payload":{},"ref":"1"})",
             R"({"topic":"a","event":"b","ref":"1"})",
             R"({"topic":"a","event":"b","payload":{}})",
             R"({"topic":1,"event":"b","payload":{},"ref":"1"})",
             R"({"topic":"a","event":"b","payload":{},"ref":{}})",
             R"({"topic":"a","event":"b","payload":{},"ref":"1","join_ref":[]})",
             R"({"topic":"a","event":"b","payload":{},"ref":"1"}x)",
         }) {
        ClientMessage m;
        auto read = decode_v1(bad, m);
        ASSERT_FALSE(read) << bad;
        EXPECT_EQ(read.error().code(), "bad_frame");
    }
}

TEST(Handshake, reads_subprotocols) {
    auto none = read_protocols("");
    EXPECT_FALSE(none->any);
    auto both = read_protocols("phoenix, base64url.bearer.phx.c2VjcmV0IQ");
    EXPECT_TRUE(both->phoenix);
    EXPECT_EQ(both->auth_token, "secret!");
    EXPECT_EQ(read_protocols("phoenix,base64url.bearer.phx.+/+/")->auth_token, "\xfb\xff\xbf");
    auto unknown = read_protocols("mqtt, graphql-ws");
    EXPECT_TRUE(unknown->any);
    EXPECT_FALSE(unknown->phoenix);
    EXPECT_FALSE(read_protocols("phoenix, base64url.bearer.phx.!!"));
}

TEST(Handshake, speaks_versions_one_and_two) {
    for (auto good : {"2.0.0", "2.1.10"}) EXPECT_EQ(version_of(good), Version::v2) << good;
    for (auto good : {"1.0.0", "1.0.7"}) EXPECT_EQ(version_of(good), Version::v1) << good;
    for (auto bad : {"", "0.9.0", "2", "2.0", "2.0.0.0", "2..0", "2.0.", "20.0.0", "3.0.0", "2.0.x",
                     "v2.0.0", "1.0", "10.0.0"}) {
        EXPECT_FALSE(version_of(bad)) << bad;
    }
}

}  // namespace bennu::phoenix::serializer_test
