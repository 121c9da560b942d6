#include "bennu/net/websocket_frame.hpp"
#include "fuzz/input.hpp"

namespace {

using namespace bennu;
using Kind = net::WebSocketEvent::Kind;
using Role = net::WebSocketDecoder::Role;

struct Connection {
    Connection(Role side, bool compression) : role(side) {
        if (compression) decoder.allow_compressed();
    }

    void feed(std::string_view piece) {
        std::string moved = buffer + std::string(piece);  // the bytes may move between calls
        buffer.swap(moved);
        while (true) {
            auto event = decoder.next(buffer);
            fuzz::require_that(event.consumed <= buffer.size(), "consumed more than there was");
            if (event.kind == Kind::text && !event.compressed)
                fuzz::require_that(valid_utf8(event.payload), "text that is not UTF-8");
            if (event.kind != Kind::need_more) {
                trace += std::to_string(static_cast<int>(event.kind)) + " " +
                         std::to_string(event.code) + (event.compressed ? " compressed " : " ") +
                         std::string(event.payload) + "\n";
                echo(event);
            }
            buffer.erase(0, event.consumed);
            if (event.kind == Kind::need_more) return;
        }
    }

    /// What was received, sent again in whole frames.
    void echo(const net::WebSocketEvent& event) {
        auto opcode = event.kind == Kind::text     ? net::Opcode::text
                      : event.kind == Kind::binary ? net::Opcode::binary
                      : event.kind == Kind::ping   ? net::Opcode::ping
                                                   : net::Opcode::pong;
        if (event.kind == Kind::error) {
            failed = true;
        } else if (event.kind == Kind::close) {
            role == Role::server
                ? net::encode_masked_close(echoed, event.code, event.payload, 0x01020304)
                : net::encode_close(echoed, event.code, event.payload);
        } else {
            net::encode_fragment(echoed, opcode, event.payload,
                                 {.compressed = event.compressed,
                                  .mask_key = role == Role::server ? 0xfedcba98 : 0});
        }
    }

    Role role;
    net::WebSocketDecoder decoder{role, {.message = 300, .fragments = 20}};
    std::string buffer, trace, echoed;
    bool failed = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::CutInput input(data, size);
    for (int way = 0; way < 4; ++way) {
        Role role = way < 2 ? Role::server : Role::client;
        bool compression = way % 2 != 0;
        Connection whole(role, compression), cut(role, compression), again(role, compression);
        whole.feed(input.bytes);
        input.for_each_piece([&](std::string_view piece) { cut.feed(piece); });
        fuzz::require_equal(whole.trace, cut.trace, "pieces change the events");
        if (whole.failed) continue;
        again.feed(whole.echoed);
        fuzz::require_equal(whole.trace, again.trace, "decoding what was encoded differs");
    }
    return 0;
}
