#include "bennu/base/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace bennu {
namespace {

// States of the validator: how many continuation bytes are due, and which range the next one must
// fall into.
enum State : std::uint8_t {
    start,
    one_more,
    two_more,
    three_more,
    after_e0,  // A0..BF: no overlong forms
    after_ed,  // 80..9F: no surrogates
    after_f0,  // 90..BF: no overlong forms
    after_f4,  // 80..8F: not past U+10FFFF
    broken,
};

constexpr std::array<std::uint8_t, 256> lead_states = [] {
    std::array<std::uint8_t, 256> table{};
    for (int c = 0; c < 256; ++c) {
        table[c] = c < 0x80    ? start
                   : c < 0xc2  ? broken
                   : c < 0xe0  ? one_more
                   : c == 0xe0 ? after_e0
                   : c == 0xed ? after_ed
                   : c < 0xf0  ? two_more
                   : c == 0xf0 ? after_f0
                   : c < 0xf4  ? three_more
                   : c == 0xf4 ? after_f4
                               : broken;
    }
    return table;
}();

constexpr std::uint8_t step(std::uint8_t state, unsigned char c) {
    const auto in = [c](int low, int high, State next) -> std::uint8_t {
        return c >= low && c <= high ? next : broken;
    };
    switch (state) {
        case start:
            return lead_states[c];
        case one_more:
            return in(0x80, 0xbf, start);
        case two_more:
            return in(0x80, 0xbf, one_more);
        case three_more:
            return in(0x80, 0xbf, two_more);
        case after_e0:
            return in(0xa0, 0xbf, one_more);
        case after_ed:
            return in(0x80, 0x9f, one_more);
        case after_f0:
            return in(0x90, 0xbf, two_more);
        case after_f4:
            return in(0x80, 0x8f, two_more);
        default:
            return broken;
    }
}

/// The length of the ASCII run at the start of `text`.
std::size_t ascii_run(std::string_view text) {
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + i, 8);
        if (word & 0x8080808080808080u) break;
    }
    while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
    return i;
}

}  // namespace

bool Utf8Validator::feed(std::string_view piece) {
    std::uint8_t state = state_;
    while (!piece.empty()) {
        if (state == start) {
            piece.remove_prefix(ascii_run(piece));
            if (piece.empty()) break;
        }
        state = step(state, static_cast<unsigned char>(piece.front()));
        if (state == broken) break;
        piece.remove_prefix(1);
    }
    state_ = state;
    return state != broken;
}

bool valid_utf8(std::string_view text) {
    Utf8Validator validator;
    return validator.feed(text) && validator.complete();
}

std::string_view without_byte_order_mark(std::string_view text) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

std::size_t utf8_char_length(std::string_view text) {
    std::uint8_t state = start;
    const std::size_t most = std::min<std::size_t>(text.size(), 4);
    for (std::size_t i = 0; i < most; ++i) {
        state = step(state, static_cast<unsigned char>(text[i]));
        if (state == broken) return 0;
        if (state == start) return i + 1;
    }
    return 0;
}

void append_utf8(std::string& out, char32_t c) {
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) c = 0xfffd;
    const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += {static_cast<char>(0xc0 | c >> 6), tail(0)};
    } else if (c < 0x10000) {
        out += {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
    } else {
        out += {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
    }
}

std::string repair_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = ascii_run(text);
        if (length == 0) length = utf8_char_length(text);
        if (length == 0) {
            out += "\xef\xbf\xbd";
            length = 1;
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
    return out;
}

std::size_t count_code_points(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace bennu
