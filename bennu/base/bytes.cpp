#include "bennu/base/bytes.hpp"

#include <array>
#include <cstdint>

namespace bennu {

Bytes::Bytes(std::string&& text) {
    if (text.empty()) return;
    owner_ = make_shared_value<std::string>(std::move(text));
    data_ = owner_->data();
    size_ = owner_->size();
}

Bytes Bytes::copy(std::string_view text) {
    return Bytes(std::string(text));
}

Bytes Bytes::copy(std::span<const std::byte> bytes) {
    return copy(as_text(bytes));
}

Bytes Bytes::from_static(std::string_view text) {
    Bytes bytes;
    bytes.data_ = text.data();
    bytes.size_ = text.size();
    return bytes;
}

Bytes Bytes::slice(std::size_t offset, std::size_t count) const {
    Bytes part = *this;
    offset = std::min(offset, size_);
    part.data_ += offset;
    part.size_ = std::min(count, size_ - offset);
    return part;
}

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> reverse(std::string_view digits) {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        table[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
    }
    return table;
}
constexpr auto hex_values = [] {
    auto table = reverse(hex_digits);
    for (char c = 'A'; c <= 'F'; ++c) table[static_cast<unsigned char>(c)] = c - 'A' + 10;
    return table;
}();
constexpr auto base64_values = reverse(base64_digits);
constexpr auto base64url_values = reverse(base64url_digits);

Error bad_encoding(std::string_view name) {
    return Error(ErrorKind::invalid, "invalid", "not valid " + std::string(name));
}

std::string encode64(std::string_view bytes, std::string_view digits, char padding) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t group = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
        out += {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63],
                digits[group & 63]};
    }
    const std::size_t left = bytes.size() - i;
    if (left == 0) return out;
    const std::uint32_t group = data[i] << 16 | (left == 2 ? data[i + 1] << 8 : 0);
    out += {digits[group >> 18], digits[group >> 12 & 63]};
    if (left == 2) out += digits[group >> 6 & 63];
    if (padding) out.append(3 - left, padding);
    return out;
}

Result<std::string> decode64(std::string_view text, const std::array<std::int8_t, 256>& values,
                             std::string_view name) {
    if (text.size() % 4 == 1) return bad_encoding(name);
    std::string out;
    out.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char c : text) {
        const std::int8_t value = values[static_cast<unsigned char>(c)];
        if (value < 0) return bad_encoding(name);
        group = group << 6 | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out += static_cast<char>(group >> bits & 0xff);
    }
    if ((group & ((1u << bits) - 1)) != 0) return bad_encoding(name);
    return out;
}

}  // namespace

std::string hex_encode(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += {hex_digits[byte >> 4], hex_digits[byte & 15]};
    }
    return out;
}

Result<std::string> hex_decode(std::string_view text) {
    if (text.size() % 2 != 0) return bad_encoding("hex");
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_values[static_cast<unsigned char>(text[i])];
        const int low = hex_values[static_cast<unsigned char>(text[i + 1])];
        if (high < 0 || low < 0) return bad_encoding("hex");
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

std::string base64_encode(std::string_view bytes) {
    return encode64(bytes, base64_digits, '=');
}

Result<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return bad_encoding("base64");
    if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
    return decode64(text, base64_values, "base64");
}

std::string base64url_encode(std::string_view bytes) {
    return encode64(bytes, base64url_digits, 0);
}

Result<std::string> base64url_decode(std::string_view text) {
    return decode64(text, base64url_values, "base64url");
}

}  // namespace bennu
