#include "bennu/net/websocket_testing.hpp"

#include <optional>

#include "bennu/net/websocket_frame.hpp"

namespace bennu::net::ws {

std::string frame(int first, std::string_view payload, std::uint32_t mask) {
    std::string bytes;
    encode_fragment(bytes, static_cast<Opcode>(first & 0x0f), payload, {.mask_key = mask});
    bytes[0] = static_cast<char>(first);
    return bytes;
}

std::string close_frame(int code, std::string_view reason) {
    std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    return frame(fin | closing, payload + std::string(reason));
}

std::string describe(std::string bytes, const DeflateAgreement* agreed) {
    std::string trace;
    WebSocketDecoder decoder(WebSocketDecoder::Role::client, {.message = 2'000'000});
    std::optional<MessageDeflate> deflate;
    if (agreed) {
        decoder.allow_compressed();
        // Of the client's side: it reads what the server wrote.
        deflate.emplace(DeflateAgreement{.client_takeover = agreed->server_takeover},
                        WebSocketDeflate{}, 10'000'000);
    }
    std::size_t at = 0;
    while (at < bytes.size()) {
        WebSocketEvent event = decoder.next(std::span(bytes).subspan(at));
        at += event.consumed;
        std::string payload(event.payload.substr(0, 200));
        if (event.compressed) payload = "deflated " + deflate->decompress(event.payload).value();
        using Kind = WebSocketEvent::Kind;
        switch (event.kind) {
            case Kind::need_more:
                return trace + "cut off;";
            case Kind::text:
                trace += "text " + payload + ";";
                break;
            case Kind::binary:
                trace += "binary " + payload + ";";
                break;
            case Kind::ping:
                trace += "ping " + payload + ";";
                break;
            case Kind::pong:
                trace += "pong " + payload + ";";
                break;
            case Kind::close:
                return trace + "close " + std::to_string(event.code) +
                       (at == bytes.size() ? "" : " and more");
            case Kind::error:
                return trace + "error " + payload;
        }
    }
    return trace + "end";
}

}  // namespace bennu::net::ws
