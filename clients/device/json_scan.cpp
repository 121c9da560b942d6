#include "clients/device/json_scan.hpp"

#include <charconv>

namespace bennu::device {

namespace {

constexpr int deepest = 100;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

void append_code_point(std::string& out, unsigned code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
        return;
    }
    if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            out += static_cast<char>(0xe0 | code >> 12);
        } else {
            out += static_cast<char>(0xf0 | code >> 18);
            out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
        }
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    }
    out += static_cast<char>(0x80 | (code & 0x3f));
}

}  // namespace

void JsonScanner::skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
        ++at_;
    }
}

bool JsonScanner::next_is(char first) {
    skip_space();
    return at_ < text_.size() && text_[at_] == first;
}

bool JsonScanner::character(char wanted) {
    if (!next_is(wanted)) return false;
    ++at_;
    return true;
}

bool JsonScanner::word(std::string_view wanted) {
    skip_space();
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
}

bool JsonScanner::null() {
    return word("null");
}

bool JsonScanner::code_unit(unsigned& unit) {
    if (text_.size() - at_ < 4) return false;
    const char* begin = text_.data() + at_;
    auto [stop, error] = std::from_chars(begin, begin + 4, unit, 16);
    if (error != std::errc() || stop != begin + 4) return false;
    at_ += 4;
    return true;
}

/// What follows a backslash. Without `out` halves of surrogate pairs are passed over.
bool JsonScanner::escape(std::string* out) {
    if (at_ == text_.size()) return false;
    const char kind = text_[at_++];
    if (kind != 'u') {
        static constexpr std::string_view from = "\"\\/bfnrt";
        static constexpr std::string_view to = "\"\\/\b\f\n\r\t";
        const std::size_t which = from.find(kind);
        if (which == std::string_view::npos) return false;
        if (out) *out += to[which];
        return true;
    }
    unsigned code = 0;
    if (!code_unit(code)) return false;
    if (!out) return true;
    if (code >= 0xd800 && code < 0xdc00) {
        const std::size_t behind = at_;
        unsigned low = 0;
        const bool follows = text_.substr(at_, 2) == "\\u";
        if (follows) at_ += 2;
        if (follows && code_unit(low) && low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else {
            at_ = behind;
        }
    }
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    append_code_point(*out, code);
    return true;
}

bool JsonScanner::string(std::string& out) {
    out.clear();
    if (!character('"')) return false;
    while (at_ < text_.size()) {
        const char c = text_[at_++];
        if (c == '"') return true;
        if (static_cast<unsigned char>(c) < 0x20) return false;
        if (c != '\\') {
            out += c;
        } else if (!escape(&out)) {
            return false;
        }
    }
    return false;
}

bool JsonScanner::skip_string() {
    if (!character('"')) return false;
    while (at_ < text_.size()) {
        const char c = text_[at_++];
        if (c == '"') return true;
        if (static_cast<unsigned char>(c) < 0x20) return false;
        if (c == '\\' && !escape(nullptr)) return false;
    }
    return false;
}

bool JsonScanner::integer(std::int64_t& out) {
    std::string_view raw;
    if (!next_is('-') && (at_ == text_.size() || !is_digit(text_[at_]))) return false;
    if (!value(raw)) return false;
    auto [stop, error] = std::from_chars(raw.data(), raw.data() + raw.size(), out);
    return error == std::errc() && stop == raw.data() + raw.size();
}

bool JsonScanner::skip_digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > begin;
}

bool JsonScanner::skip_number() {
    auto here = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
    if (here('-')) ++at_;
    if (here('0')) {
        ++at_;
    } else if (!skip_digits()) {
        return false;
    }
    if (here('.')) {
        ++at_;
        if (!skip_digits()) return false;
    }
    if (here('e') || here('E')) {
        ++at_;
        if (here('+') || here('-')) ++at_;
        if (!skip_digits()) return false;
    }
    return true;
}

/// The inside of an object or array, its closing character included.
bool JsonScanner::skip_members(char close, int depth) {
    ++at_;
    if (character(close)) return true;
    do {
        if (close == '}' && !(skip_string() && character(':'))) return false;
        if (!skip_value(depth)) return false;
    } while (character(','));
    return character(close);
}

bool JsonScanner::skip_value(int depth) {
    skip_space();
    if (at_ == text_.size()) return false;
    switch (text_[at_]) {
        case '{':
            return depth < deepest && skip_members('}', depth + 1);
        case '[':
            return depth < deepest && skip_members(']', depth + 1);
        case '"':
            return skip_string();
        case 't':
            return word("true");
        case 'f':
            return word("false");
        case 'n':
            return word("null");
        default:
            return skip_number();
    }
}

bool JsonScanner::value(std::string_view& raw) {
    skip_space();
    const std::size_t begin = at_;
    if (!skip_value(0)) return false;
    raw = text_.substr(begin, at_ - begin);
    return true;
}

bool JsonScanner::end() {
    skip_space();
    return at_ == text_.size();
}

bool is_json(std::string_view text) {
    JsonScanner scan(text);
    std::string_view raw;
    return scan.value(raw) && scan.end();
}

bool is_json_object(std::string_view text) {
    return JsonScanner(text).next_is('{') && is_json(text);
}

std::optional<std::string_view> json_member(std::string_view object, std::string_view name) {
    JsonScanner scan(object);
    std::optional<std::string_view> found;
    if (!scan.character('{') || scan.character('}')) return std::nullopt;
    std::string key;
    do {
        std::string_view raw;
        if (!scan.string(key) || !scan.character(':') || !scan.value(raw)) return std::nullopt;
        if (key == name) found = raw;
    } while (scan.character(','));
    return scan.character('}') && scan.end() ? found : std::nullopt;
}

void append_json(std::string& out, std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00";
            out += digits[c >> 4];
            out += digits[c & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

}  // namespace bennu::device
