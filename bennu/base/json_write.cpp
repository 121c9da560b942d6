#include <charconv>
#include <cmath>

#include "bennu/base/json.hpp"
#include "bennu/base/plain_text.hpp"
#include "bennu/base/utf8.hpp"

namespace bennu {
namespace {

void append_escape(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        default:
            break;
    }
    static constexpr char digits[] = "0123456789abcdef";
    out += "\\u00";
    out += digits[c >> 4 & 15];
    out += digits[c & 15];
}

/// U+0080 to U+009F: some terminals obey them, so that they never leave as they are.
bool is_c1_control(std::string_view text) {
    return text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
}

/// A string in which not every byte stands for itself.
[[gnu::noinline]] void append_unusual(std::string& out, std::string_view text) {
    out += '"';
    std::size_t done = 0;
    std::size_t at = 0;
    while (true) {
        at += plain_run<'"', '\\'>(text.substr(at));
        if (at == text.size()) break;
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            out.append(text, done, at - done);
            append_escape(out, text[at]);
            done = ++at;
            continue;
        }
        const std::size_t length = utf8_char_length(text.substr(at));
        if (length == 2 && is_c1_control(text.substr(at))) {
            out.append(text, done, at - done);
            append_escape(out, text[at + 1]);
            done = at += 2;
        } else if (length > 0) {
            at += length;
        } else {
            out.append(text, done, at - done);
            out += "\xef\xbf\xbd";
            done = ++at;
        }
    }
    out.append(text, done, at - done);
    out += '"';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    if (plain_run<'"', '\\'>(text) < text.size()) return append_unusual(out, text);
    const std::size_t at = out.size();
    out.resize_and_overwrite(at + text.size() + 2, [&](char* to, std::size_t) {
        to[at] = '"';
        text.copy(to + at + 1, text.size());
        to[at + 1 + text.size()] = '"';
        return at + text.size() + 2;
    });
}

void append_json_int(std::string& out, std::int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_json_double(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    out += text;
    // A whole double keeps its point, so that it reads back as a number and not as an integer.
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void write_json(std::string& out, const Json& json) {
    switch (json.type()) {
        case JsonType::null:
            out += "null";
            return;
        case JsonType::boolean:
            out += json.as_bool() ? "true" : "false";
            return;
        case JsonType::integer:
            append_json_int(out, json.as_int());
            return;
        case JsonType::number:
            append_json_double(out, json.as_double());
            return;
        case JsonType::string:
            append_json_string(out, json.as_string());
            return;
        case JsonType::array: {
            char separator = '[';
            for (const Json& item : json.as_array()) {
                out += separator;
                write_json(out, item);
                separator = ',';
            }
            out += separator == '[' ? "[]" : "]";
            return;
        }
        case JsonType::object: {
            char separator = '{';
            for (const JsonMember& member : json.as_object()) {
                out += separator;
                append_json_string(out, member.key);
                out += ':';
                write_json(out, member.value);
                separator = ',';
            }
            out += separator == '{' ? "{}" : "}";
            return;
        }
    }
}

std::string to_json(const Json& json) {
    std::string out;
    write_json(out, json);
    return out;
}

}  // namespace bennu
