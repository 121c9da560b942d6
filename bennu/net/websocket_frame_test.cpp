#include "bennu/net/websocket_frame.hpp"

#include <gtest/gtest.h>

namespace bennu::net {
namespace websocket_frame_test {

using namespace std::string_literals;
using Role = WebSocketDecoder::Role;
using Kind = WebSocketEvent::Kind;

std::string shorten(std::string_view text) {
    if (text.size() <= 40) return std::string(text);
    return std::string(text.substr(0, 10)) + "…" + std::to_string(text.size());
}

/// Everything that the decoder says about a stream in pieces. The buffer moves between calls, as a
/// real one may.
std::string trace(const std::vector<std::string_view>& pieces, Role role, WebSocketLimits limits) {
    WebSocketDecoder decoder(role, limits);
    std::string buffer, out;
    for (auto piece : pieces) {
        std::string moved = buffer + std::string(piece);
        buffer.swap(moved);
        while (true) {
            auto event = decoder.next(buffer);
            auto payload = shorten(event.payload);
            buffer.erase(0, event.consumed);
            switch (event.kind) {
                case Kind::need_more:
                    break;
                case Kind::text:
                    out += "text " + payload + "\n";
                    continue;
                case Kind::binary:
                    out += "binary " + payload + "\n";
                    continue;
                case Kind::ping:
                    out += "ping " + payload + "\n";
                    continue;
                case Kind::pong:
                    out += "pong " + payload + "\n";
                    continue;
                case Kind::close:
                    out += "close " + std::to_string(event.code) + " " + payload + "\n";
                    continue;
                case Kind::error:
                    out += "error " + std::to_string(event.code) + "\n";
                    continue;
            }
            break;
        }
    }
    return out;
}

std::string trace_all_splits(std::string_view bytes, Role role = Role::server,
                             WebSocketLimits limits = {}) {
    auto whole = trace({bytes}, role, limits);
    auto step = std::max<std::size_t>(1, bytes.size() / 400);
    for (std::size_t cut = 0; cut <= bytes.size(); cut += step) {
        EXPECT_EQ(trace({bytes.substr(0, cut), bytes.substr(cut)}, role, limits), whole)
            << "cut at " << cut;
    }
    if (bytes.size() < 1000) {
        std::vector<std::string_view> single;
        for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
        EXPECT_EQ(trace(single, role, limits), whole) << "byte by byte";
    }
    return whole;
}

constexpr std::uint32_t key = 0x8fa1c371;

std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
    std::string out;
    encode_fragment(out, opcode, payload, {.fin = fin, .mask_key = key});
    return out;
}
std::string close_payload(int code, std::string_view reason = "") {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} +
           std::string(reason);
}

TEST(WebSocketFrame, EncodesTheExamplesOfTheRfc) {
    std::string out;
    encode_frame(out, Opcode::text, "Hello");
    EXPECT_EQ(out, "\x81\x05Hello");
    out.clear();
    encode_masked_frame(out, Opcode::text, "Hello", 0x3d21fa37);  // 37 fa 21 3d in memory
    EXPECT_EQ(out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    EXPECT_EQ(prepare_broadcast_frame(std::string(256, 'x')).substr(0, 4), "\x81\x7e\x01\x00"s);
    EXPECT_EQ(prepare_broadcast_frame(std::string(65536, 'x')).substr(0, 10),
              "\x81\x7f\0\0\0\0\0\x01\0\0"s);
    EXPECT_EQ(prepare_broadcast_frame(std::string(125, 'x')).substr(0, 2), "\x81\x7d");
    EXPECT_EQ(prepare_broadcast_frame(std::string(126, 'x')).substr(0, 4), "\x81\x7e\0\x7e"s);
    EXPECT_EQ(prepare_broadcast_frame(std::string(65535, 'x')).substr(0, 4), "\x81\x7e\xff\xff");
}

TEST(WebSocketFrame, MasksAtEveryPhaseAndLength) {
    for (std::size_t size = 0; size < 40; ++size) {
        for (unsigned phase = 0; phase < 4; ++phase) {
            std::string data(size, 'a'), expected = data;
            const auto* bytes = reinterpret_cast<const char*>(&key);
            for (std::size_t i = 0; i < size; ++i)
                expected[i] = static_cast<char>('a' ^ bytes[(i + phase) % 4]);
            apply_mask(data, key, phase);
            EXPECT_EQ(data, expected) << size << " " << phase;
        }
    }
}

TEST(WebSocketFrame, CutsCloseReasonsAtACharacter) {
    std::string out, reason;
    for (int i = 0; i < 60; ++i) reason += "\xe2\x82\xac";
    encode_close(out, 1001, reason);
    EXPECT_EQ(out.size(), 2u + 2 + 123);
    EXPECT_EQ(trace({out}, Role::client, {}),
              "close 1001 " + shorten(reason.substr(0, 123)) + "\n");
    out.clear();
    encode_close(out, close_code::abnormal, "x");
    EXPECT_EQ(out, "\x88\0"s);
}

TEST(WebSocketDecoder, ReadsMessages) {
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "hello") + frame(Opcode::binary, "\x00\xff"s) +
                               frame(Opcode::text, "")),
              "text hello\nbinary "s + "\x00\xff"s + "\ntext \n");
    for (std::size_t size : {125u, 126u, 127u, 65535u, 65536u}) {
        EXPECT_EQ(trace_all_splits(frame(Opcode::binary, std::string(size, 'x'))),
                  "binary xxxxxxxxxx…" + std::to_string(size) + "\n");
    }
    EXPECT_EQ(trace_all_splits(prepare_broadcast_frame("caf\xc3\xa9"), Role::client),
              "text caf\xc3\xa9\n");
}

TEST(WebSocketDecoder, JoinsFragmentsAroundControlFrames) {
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "a\xe2", false) + frame(Opcode::ping, "p") +
                               frame(Opcode::continuation, "\x82", false) +
                               frame(Opcode::pong, "") + frame(Opcode::continuation, "", false) +
                               frame(Opcode::continuation, "\xac") + frame(Opcode::text, "next")),
              "ping p\npong \ntext a\xe2\x82\xac\ntext next\n");
}

TEST(WebSocketDecoder, ViewsPointIntoTheInput) {
    auto bytes = frame(Opcode::text, "hello");
    WebSocketDecoder decoder(Role::server);
    auto event = decoder.next(bytes);
    EXPECT_EQ(event.payload.data(), bytes.data() + 6);
    EXPECT_TRUE(decoder.idle());
}

TEST(WebSocketDecoder, SaysHowMuchItWants) {
    auto bytes = frame(Opcode::binary, std::string(300, 'x'));
    WebSocketDecoder decoder(Role::server);
    EXPECT_EQ(decoder.next(std::span(bytes).first(1)).wanted, 2u);
    EXPECT_EQ(decoder.next(std::span(bytes).first(2)).wanted, 4u);
    EXPECT_EQ(decoder.next(std::span(bytes).first(4)).wanted, 8u);
    EXPECT_EQ(decoder.next(std::span(bytes).first(20)).wanted, bytes.size());
    EXPECT_FALSE(decoder.idle());
}

TEST(WebSocketDecoder, RefusesBrokenFrames) {
    auto with_first = [](int first) {
        auto bytes = frame(Opcode::text, "x");
        bytes[0] = static_cast<char>(first);
        return bytes;
    };
    for (int reserved : {0xc1, 0xa1, 0x91})
        EXPECT_EQ(trace_all_splits(with_first(reserved)), "error 1002\n");
    for (int opcode : {3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf}) {
        EXPECT_EQ(trace_all_splits(with_first(0x80 | opcode)), "error 1002\n");
    }
    EXPECT_EQ(trace_all_splits(prepare_broadcast_frame("unmasked")), "error 1002\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "masked"), Role::client), "error 1002\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::continuation, "x")), "error 1002\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "x", false) + frame(Opcode::text, "y")),
              "error 1002\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::ping, "x", false)), "error 1002\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::ping, std::string(126, 'x'))), "error 1002\n");
    EXPECT_EQ(trace_all_splits("\x81\xfe\x00\x05"s), "error 1002\n");
    EXPECT_EQ(trace_all_splits("\x81\xff\0\0\0\0\0\0\xff\xff"s), "error 1002\n");
    EXPECT_EQ(trace_all_splits("\x81\xff\x80\0\0\0\0\0\0\0"s), "error 1002\n");
}

TEST(WebSocketDecoder, HoldsTheMessageLimit) {
    WebSocketLimits small{.message = 10};
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "0123456789"), Role::server, small),
              "text 0123456789\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "0123456789a"), Role::server, small),
              "error 1009\n");
    EXPECT_EQ(
        trace_all_splits(frame(Opcode::text, "012345", false) + frame(Opcode::continuation, "6789"),
                         Role::server, small),
        "text 0123456789\n");
    EXPECT_EQ(trace_all_splits(
                  frame(Opcode::text, "012345", false) + frame(Opcode::continuation, "6789a"),
                  Role::server, small),
              "error 1009\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::ping, "01234567890123"), Role::server, small),
              "ping 01234567890123\n");
    EXPECT_EQ(trace_all_splits("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff"s), "error 1009\n");
}

TEST(WebSocketDecoder, RefusesBadTextAtOnce) {
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "\xc0\x80")), "error 1007\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "\xed\xa0\x80")), "error 1007\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "\xf4\x90\x80\x80")), "error 1007\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::text, "caf\xc3")), "error 1007\n");
    EXPECT_EQ(
        trace_all_splits(frame(Opcode::text, "\xc3", false) + frame(Opcode::continuation, "")),
        "error 1007\n");
    // The rest of the frame has not come yet.
    auto bytes = frame(Opcode::text, "ab\xff" + std::string(100, 'x'));
    EXPECT_EQ(trace({std::string_view(bytes).substr(0, 9)}, Role::server, {}), "error 1007\n");
    EXPECT_EQ(trace_all_splits(frame(Opcode::binary, "\xff")), "binary \xff\n");
}

TEST(WebSocketDecoder, JudgesCloseFrames) {
    auto closed = [](std::string_view payload) {
        return trace_all_splits(frame(Opcode::close, payload));
    };
    EXPECT_EQ(closed(""), "close 1005 \n");
    EXPECT_EQ(closed("x"), "error 1002\n");
    EXPECT_EQ(closed(close_payload(1000, "bye")), "close 1000 bye\n");
    EXPECT_EQ(closed(close_payload(1000, "\xff")), "error 1007\n");
    for (int code : {1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 4999}) {
        EXPECT_EQ(closed(close_payload(code)), "close " + std::to_string(code) + " \n");
    }
    for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535}) {
        EXPECT_EQ(closed(close_payload(code)), "error 1002\n") << code;
    }
    EXPECT_EQ(trace_all_splits(frame(Opcode::close, "") + frame(Opcode::text, "late")),
              "close 1005 \n");
}

}  // namespace websocket_frame_test
}  // namespace bennu::net
