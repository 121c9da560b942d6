#include "benches/load/frame.hpp"

#include <stdexcept>

namespace bench {
namespace {

constexpr char key[4] = {0x12, 0x34, 0x56, 0x78};

std::string start(Opcode opcode, std::size_t size, unsigned char mask_bit) {
    std::string out;
    out.reserve(size + 14);
    out += static_cast<char>(0x80 | static_cast<unsigned char>(opcode));
    if (size < 126) {
        out += static_cast<char>(mask_bit | size);
    } else if (size < 65536) {
        out += static_cast<char>(mask_bit | 126);
        out += static_cast<char>(size >> 8);
        out += static_cast<char>(size & 0xff);
    } else {
        out += static_cast<char>(mask_bit | 127);
        for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
    }
    return out;
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

std::string client_frame(Opcode opcode, std::string_view payload) {
    std::string out = start(opcode, payload.size(), 0x80);
    out.append(key, 4);
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(payload[i] ^ key[i % 4]);
    return out;
}

std::string server_frame(Opcode opcode, std::string_view payload) {
    std::string out = start(opcode, payload.size(), 0);
    out += payload;
    return out;
}

Frame read_frame(std::string_view input) {
    if (input.size() < 2) return {};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
    if ((byte(0) & 0xf0) != 0x80 || (byte(0) & 0x0f) == 0)
        throw std::runtime_error("a fragment or a reserved bit where a whole frame was due");
    Frame frame{.opcode = static_cast<Opcode>(byte(0) & 0x0f), .masked = (byte(1) & 0x80) != 0};
    std::uint64_t length = byte(1) & 0x7f;
    std::size_t at = 2;
    if (length >= 126) {
        const std::size_t width = length == 126 ? 2 : 8;
        if (input.size() < at + width) return {};
        length = 0;
        for (std::size_t i = 0; i < width; ++i) length = length << 8 | byte(at++);
        if (length > 1U << 24) throw std::runtime_error("a frame over 16 MiB");
    }
    const std::size_t head = at + (frame.masked ? 4 : 0);
    if (input.size() < head + length) return {};
    if (frame.masked) std::memcpy(&frame.mask, input.data() + at, 4);
    frame.payload = input.substr(head, length);
    frame.size = head + length;
    return frame;
}

std::string unmask(const Frame& frame) {
    std::string text(frame.payload);
    if (!frame.masked) return text;
    char mask[4];
    std::memcpy(mask, &frame.mask, 4);
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<char>(text[i] ^ mask[i % 4]);
    return text;
}

std::string_view header(std::string_view head, std::string_view name) {
    for (auto at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
        const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        if (line.size() <= name.size() || line[name.size()] != ':') continue;
        if (!std::equal(name.begin(), name.end(), line.begin(),
                        [](char a, char b) { return a == lower(b); }))
            continue;
        auto value = line.substr(name.size() + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        return value;
    }
    return {};
}

}  // namespace bench
