#include "bennu/net/websocket_frame.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace bennu::net {

namespace {

constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t compressed_bit = 0x40;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::size_t control_limit = 125;

std::uint64_t read_big_endian(const char* at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
    return value;
}

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
    while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}

void append_header(std::string& out, Opcode opcode, std::uint64_t size, FrameOptions options) {
    auto mask = options.mask_key != 0 ? mask_bit : std::uint8_t{0};
    out.push_back(static_cast<char>((options.fin ? fin_bit : 0) |
                                    (options.compressed ? compressed_bit : 0) |
                                    static_cast<std::uint8_t>(opcode)));
    if (size <= control_limit) {
        out.push_back(static_cast<char>(mask | size));
    } else if (size <= 0xffff) {
        out.push_back(static_cast<char>(mask | 126));
        append_big_endian(out, size, 2);
    } else {
        out.push_back(static_cast<char>(mask | 127));
        append_big_endian(out, size, 8);
    }
    if (mask) out.append(reinterpret_cast<const char*>(&options.mask_key), 4);
}

/// Code and cut reason of a close frame in a buffer on the stack.
struct ClosePayload {
    ClosePayload(std::uint16_t code, std::string_view reason) {
        if (!close_code::may_travel(code)) return;
        if (reason.size() > control_limit - 2) {
            reason = reason.substr(0, control_limit - 2);
            auto cut = reason.size();
            while (cut > 0 && !valid_utf8(reason.substr(0, cut))) --cut;
            reason = reason.substr(0, cut);
        }
        bytes[0] = static_cast<char>(code >> 8);
        bytes[1] = static_cast<char>(code & 0xff);
        reason.copy(bytes + 2, reason.size());
        size = reason.size() + 2;
    }
    std::string_view view() const { return {bytes, size}; }

    char bytes[control_limit];
    std::size_t size = 0;
};

}  // namespace

bool close_code::may_travel(std::uint16_t code) {
    return (code >= 1000 && code <= 1014 && code != 1004 && code != none && code != abnormal) ||
           (code >= 3000 && code <= 4999);
}

void apply_mask(std::span<char> data, std::uint32_t mask_key, unsigned phase) {
    auto key = std::endian::native == std::endian::little
                   ? std::rotr(mask_key, static_cast<int>(8 * (phase % 4)))
                   : std::rotl(mask_key, static_cast<int>(8 * (phase % 4)));
    auto wide = std::uint64_t{key} << 32 | key;
    char* at = data.data();
    std::size_t left = data.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        word ^= wide;
        std::memcpy(at, &word, 8);
    }
    char bytes[8];
    std::memcpy(bytes, &wide, 8);
    for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ bytes[i]);
}

void encode_fragment(std::string& out, Opcode opcode, std::string_view payload,
                     FrameOptions options) {
    append_header(out, opcode, payload.size(), options);
    auto at = out.size();
    out.append(payload);
    if (options.mask_key != 0) apply_mask(std::span(out).subspan(at), options.mask_key);
}

void encode_frame(std::string& out, Opcode opcode, std::string_view payload) {
    encode_fragment(out, opcode, payload, {});
}

void encode_masked_frame(std::string& out, Opcode opcode, std::string_view payload,
                         std::uint32_t mask_key) {
    // A zero key would mean "no mask" to encode_fragment; any other one serves.
    encode_fragment(out, opcode, payload, {.mask_key = mask_key != 0 ? mask_key : 0x6b9a3c55});
}

void encode_close(std::string& out, std::uint16_t code, std::string_view reason) {
    encode_frame(out, Opcode::close, ClosePayload(code, reason).view());
}

void encode_masked_close(std::string& out, std::uint16_t code, std::string_view reason,
                         std::uint32_t mask_key) {
    encode_masked_frame(out, Opcode::close, ClosePayload(code, reason).view(), mask_key);
}

std::string prepare_broadcast_frame(std::string_view payload, Opcode opcode) {
    std::string frame;
    frame.reserve(payload.size() + 10);
    encode_frame(frame, opcode, payload);
    return frame;
}

struct WebSocketDecoder::Header {
    std::uint8_t first;
    bool masked;
    std::uint64_t size;
    std::uint32_t mask_key = 0;
    std::size_t bytes = 2;  // of the header itself

    bool fin() const { return (first & fin_bit) != 0; }
    Opcode opcode() const { return static_cast<Opcode>(first & 0x0f); }
    bool control() const { return (first & 0x08) != 0; }
    bool compressed() const { return (first & compressed_bit) != 0; }
    bool begins_message() const { return opcode() == Opcode::text || opcode() == Opcode::binary; }
};

WebSocketEvent WebSocketDecoder::next(std::span<char> input) {
    if (closed_) return {.consumed = input.size()};
    if (clear_message_) {
        message_ = std::string();
        clear_message_ = false;
    }
    std::size_t consumed = 0;
    while (true) {
        bool again = false;
        auto event = read_frame(input.subspan(consumed), again);
        event.consumed += consumed;
        if (!again) {
            if (event.wanted) event.wanted += consumed;
            return event;
        }
        consumed = event.consumed;
    }
}

std::string_view WebSocketDecoder::judge(const Header& header) const {
    bool may_compress = compression_ && header.begins_message();
    if ((header.first & reserved_bits & ~(may_compress ? compressed_bit : 0)) != 0)
        return "reserved bits are set";
    if (header.masked != (role_ == Role::server)) {
        return role_ == Role::server ? "client frames must be masked"
                                     : "server frames must not be masked";
    }
    switch (header.opcode()) {
        case Opcode::continuation:
            return fragments_ == Opcode::continuation ? "continuation without a start" : "";
        case Opcode::text:
        case Opcode::binary:
            return fragments_ == Opcode::continuation ? "" : "a message began inside another";
        case Opcode::close:
        case Opcode::ping:
        case Opcode::pong:
            return header.fin() ? "" : "fragmented control frame";
    }
    return "unknown opcode";
}

WebSocketEvent WebSocketDecoder::read_frame(std::span<char> input, bool& again) {
    if (input.size() < 2) return {.wanted = 2};
    auto second = static_cast<std::uint8_t>(input[1]);
    Header header{.first = static_cast<std::uint8_t>(input[0]),
                  .masked = (second & mask_bit) != 0,
                  .size = static_cast<std::uint64_t>(second & 0x7f)};
    if (auto fault = judge(header); !fault.empty()) return fail(close_code::protocol_error, fault);
    if (header.control() && header.size > control_limit) {
        return fail(close_code::protocol_error, "control frame over 125 bytes");
    }
    if (header.size > control_limit) {
        std::size_t extended = header.size == 126 ? 2 : 8;
        header.bytes += extended;
        if (input.size() < header.bytes) return {.wanted = header.bytes};
        header.size = read_big_endian(input.data() + 2, extended);
        auto least = extended == 2 ? control_limit + 1 : std::size_t{0x10000};
        if (header.size < least || header.size >> 63 != 0) {
            return fail(close_code::protocol_error, "length not in its shortest form");
        }
    }
    if (!header.control() &&
        (header.size > message_limit_ || message_.size() > message_limit_ - header.size)) {
        return fail(close_code::too_big, message_too_big);
    }
    if (!header.control() && fragment_limit_ > 0 && fragment_count_ >= fragment_limit_) {
        return fail(close_code::policy, too_many_fragments);
    }
    if (header.masked) {
        header.bytes += 4;
        if (input.size() < header.bytes) return {.wanted = header.bytes};
        std::memcpy(&header.mask_key, input.data() + header.bytes - 4, 4);
    }

    auto size = static_cast<std::size_t>(header.size);
    auto payload = input.subspan(header.bytes, std::min(size, input.size() - header.bytes));
    auto fresh = payload.subspan(frame_done_);
    if (header.masked) apply_mask(fresh, header.mask_key, static_cast<unsigned>(frame_done_ % 4));
    bool text = header.opcode() == Opcode::text ||
                (header.opcode() == Opcode::continuation && fragments_ == Opcode::text);
    // What is compressed is checked by whoever decompresses it.
    text = text && !header.compressed() && !compressed_;
    frame_done_ = payload.size();
    if (text && !utf8_.feed({fresh.data(), fresh.size()})) {
        return fail(close_code::bad_text, "text is not UTF-8");
    }
    if (payload.size() < size) return {.wanted = header.bytes + size};
    frame_done_ = 0;
    return finish(header, {payload.data(), payload.size()}, header.bytes + size, again);
}

WebSocketEvent WebSocketDecoder::finish(const Header& header, std::string_view payload,
                                        std::size_t consumed, bool& again) {
    switch (header.opcode()) {
        case Opcode::ping:
            return {.kind = WebSocketEvent::Kind::ping, .consumed = consumed, .payload = payload};
        case Opcode::pong:
            return {.kind = WebSocketEvent::Kind::pong, .consumed = consumed, .payload = payload};
        case Opcode::close:
            return finish_close(payload, consumed);
        default:
            break;
    }
    auto kind = header.opcode() == Opcode::continuation ? fragments_ : header.opcode();
    bool compressed = header.compressed() || compressed_;
    if (!header.fin()) {
        fragments_ = kind;
        compressed_ = compressed;
        if (fragment_limit_ > 0) ++fragment_count_;
        message_.append(payload);
        again = true;
        return {.consumed = consumed};
    }
    compressed_ = false;
    fragment_count_ = 0;
    if (kind == Opcode::text && !compressed) {
        if (!utf8_.complete()) return fail(close_code::bad_text, "text ends inside a character");
        utf8_.reset();
    }
    if (header.opcode() == Opcode::continuation) {
        message_.append(payload);
        payload = message_;
        clear_message_ = true;
        fragments_ = Opcode::continuation;
    }
    auto event = kind == Opcode::text ? WebSocketEvent::Kind::text : WebSocketEvent::Kind::binary;
    return {.kind = event, .compressed = compressed, .consumed = consumed, .payload = payload};
}

WebSocketEvent WebSocketDecoder::finish_close(std::string_view payload, std::size_t consumed) {
    WebSocketEvent event{
        .kind = WebSocketEvent::Kind::close, .code = close_code::none, .consumed = consumed};
    if (payload.size() == 1) return fail(close_code::protocol_error, "close payload of one byte");
    if (payload.size() >= 2) {
        event.code = static_cast<std::uint16_t>(read_big_endian(payload.data(), 2));
        if (!close_code::may_travel(event.code))
            return fail(close_code::protocol_error, "bad close code");
        event.payload = payload.substr(2);
        if (!valid_utf8(event.payload))
            return fail(close_code::bad_text, "close reason is not UTF-8");
    }
    closed_ = true;
    return event;
}

WebSocketEvent WebSocketDecoder::fail(std::uint16_t code, std::string_view reason) {
    closed_ = true;
    message_ = std::string();
    return {.kind = WebSocketEvent::Kind::error, .code = code, .payload = reason};
}

}  // namespace bennu::net
