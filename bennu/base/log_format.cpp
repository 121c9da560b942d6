#include <array>
#include <charconv>

#include "bennu/base/duration_text.hpp"
#include "bennu/base/id_text.hpp"
#include "bennu/base/log_format.hpp"
#include "bennu/base/plain_text.hpp"
#include "bennu/base/utf8.hpp"

namespace bennu {
namespace {

constexpr std::array<std::string_view, 6> level_names{"trace",   "debug", "info",
                                                      "warning", "error", "off"};
constexpr std::array<std::string_view, 6> level_colours{"\x1b[90m", "\x1b[36m", "\x1b[32m",
                                                        "\x1b[33m", "\x1b[31m", ""};

void append_hex_escape(std::string& out, unsigned char byte) {
    static constexpr char digits[] = "0123456789abcdef";
    out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
}

/// What a character asks for; of a text, all that its characters ask for.
enum Asks : unsigned char { nothing = 0, quotes = 1, escape = 2 };

constexpr std::array<Asks, 256> make_asks() {
    std::array<Asks, 256> asks{};
    for (std::size_t byte = 0; byte < asks.size(); ++byte) {
        if (byte < 0x20 || byte >= 0x7f) asks[byte] = escape;
    }
    for (const unsigned char c : {' ', '"', '=', '\\'}) asks[c] = quotes;
    return asks;
}
constexpr std::array<Asks, 256> asks_of = make_asks();

/// One pass without a branch.
unsigned asks(std::string_view text) {
    unsigned all = nothing;
    for (const char c : text) all |= asks_of[static_cast<unsigned char>(c)];
    return all;
}

/// Text in which nothing can break the line or reach the terminal: C0 and C1 control characters are
/// escaped, broken UTF-8 and the separators U+2028 and U+2029 as well.
void append_safe(std::string& out, std::string_view text) {
    while (true) {
        const std::size_t plain = plain_run(text);
        out.append(text.data(), plain);
        text.remove_prefix(plain);
        if (text.empty()) return;
        const auto byte = static_cast<unsigned char>(text.front());
        std::size_t length = 1;
        if (byte == '\n') {
            out += "\\n";
        } else if (byte == '\r') {
            out += "\\r";
        } else if (byte == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            append_hex_escape(out, byte);
        } else {
            length = utf8_char_length(text);
            const std::string_view character = text.substr(0, length);
            const bool control =
                length == 2 && byte == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
            if (length == 0 || control || character == "\xe2\x80\xa8" ||
                character == "\xe2\x80\xa9") {
                length = std::max<std::size_t>(length, 1);
                for (const char c : text.substr(0, length)) {
                    append_hex_escape(out, static_cast<unsigned char>(c));
                }
            } else {
                out += character;
            }
        }
        text.remove_prefix(length);
    }
}

/// The same as to_string(at), of which all but the milliseconds is kept from the last one.
void append_time(std::string& out, Timestamp at) {
    struct Second {
        std::int64_t number = INT64_MIN;
        std::array<char, 20> text{};  ///< up to and with the point
    };
    // Without a destructor: what logs at the very end of a program still finds it.
    constinit thread_local Second last;
    constexpr std::int64_t four_digit_years = 250'000'000'000'000;
    if (at.ms < 0 || at.ms > four_digit_years) {
        out += to_string(at);
        return;
    }
    const std::int64_t second = at.ms / 1000;
    if (last.number != second) {
        last.number = second;
        to_string(at).copy(last.text.data(), last.text.size());
    }
    const auto ms = static_cast<int>(at.ms % 1000);
    out.append(last.text.data(), last.text.size());
    out += {static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
            static_cast<char>('0' + ms % 10), 'Z'};
}

using Room = std::array<char, 64>;

/// An id, a duration or a whole number, put down in `room`; empty: the value is something else.
std::string_view number_text(const AttributeValue& value, Room& room) {
    const auto digits = [&](auto number) {
        const char* end = std::to_chars(room.begin(), room.end(), number).ptr;
        return std::string_view(room.data(), static_cast<std::size_t>(end - room.data()));
    };
    if (const auto* number = std::get_if<std::int64_t>(&value.data())) return digits(*number);
    if (const auto* number = std::get_if<std::uint64_t>(&value.data())) return digits(*number);
    if (const auto* id = std::get_if<Id>(&value.data())) {
        constexpr std::size_t size = 36;
        write_id(std::span(room).first<size>(), *id);
        return {room.data(), size};
    }
    if (const auto* duration = std::get_if<Duration>(&value.data())) {
        const char* end = write_duration(room.data(), *duration);
        return {room.data(), static_cast<std::size_t>(end - room.data())};
    }
    return {};
}

/// A value that stands in the line as it is; empty: it does not, or needs a look.
std::string_view plain_text(const AttributeValue& value, Room& room) {
    const auto* text = std::get_if<std::string_view>(&value.data());
    if (!text) return number_text(value, room);
    return plain_run<' ', '"', '=', '\\'>(*text) == text->size() ? *text : std::string_view();
}

/// ` key=value` in one step: most of a line is this.
void append_pair(std::string& out, std::string_view key, std::string_view value) {
    const std::size_t at = out.size();
    const std::size_t size = at + key.size() + value.size() + 2;
    out.resize_and_overwrite(size, [&](char* to, std::size_t) {
        to += at;
        *to++ = ' ';
        to += key.copy(to, key.size());
        *to++ = '=';
        value.copy(to, value.size());
        return size;
    });
}

/// What is neither text nor made of text: needs no quotes, no escapes and no string of its own.
void append_plain(std::string& out, const AttributeValue& value) {
    Room room;
    if (const auto* at = std::get_if<Timestamp>(&value.data())) {
        append_time(out, *at);
    } else if (const std::string_view text = number_text(value, room); !text.empty()) {
        out += text;
    } else {
        write_json(out, value);
    }
}

void append_value(std::string& out, const AttributeValue& value) {
    std::string made;
    std::string_view text;
    if (const auto* given = std::get_if<std::string_view>(&value.data())) {
        text = *given;
    } else if (std::holds_alternative<const Error*>(value.data()) ||
               std::holds_alternative<const Json*>(value.data())) {
        made = to_string(value);
        text = made;
    } else {
        return append_plain(out, value);
    }
    const unsigned asked = asks(text);
    if (asked == nothing && !text.empty()) {
        out += text;
        return;
    }
    if (!(asked & quotes) && !text.empty()) return append_safe(out, text);
    std::string quoted;
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    out += '"';
    append_safe(out, quoted);
    out += '"';
}

bool has_key(std::span<const Attribute> attributes, std::string_view key) {
    for (const Attribute& attribute : attributes) {
        if (attribute.key == key) return true;
    }
    return false;
}

void append_text_attributes(std::string& out, const LogRecord& record, std::string_view before_key,
                            std::string_view after_key) {
    const auto append = [&](const Attribute& attribute) {
        Room room;
        const std::string_view value = plain_text(attribute.value, room);
        const bool plain = before_key.empty() && !value.empty();
        if (plain && plain_run(attribute.key) == attribute.key.size()) {
            append_pair(out, attribute.key, value);
            return;
        }
        out.append(" ").append(before_key);
        append_safe(out, attribute.key);
        out.append("=").append(after_key);
        append_value(out, attribute.value);
    };
    for (const Attribute& attribute : record.attributes) append(attribute);
    for (const Attribute& attribute : record.context) {
        if (!has_key(record.attributes, attribute.key)) append(attribute);
    }
}

}  // namespace

std::string_view to_string(LogLevel level) {
    return level_names[static_cast<std::size_t>(level)];
}

Result<LogLevel> parse_log_level(std::string_view text) {
    for (std::size_t i = 0; i < level_names.size(); ++i) {
        if (level_names[i] == text) return static_cast<LogLevel>(i);
    }
    return Error(ErrorKind::invalid, "not_one_of",
                 "must be one of: trace, debug, info, warning, error, off");
}

void append_log_text(std::string& out, const LogRecord& record, bool colour) {
    if (colour) out += "\x1b[90m";
    append_time(out, record.at);
    if (colour) out += "\x1b[0m";
    out += ' ';
    if (colour) out += level_colours[static_cast<std::size_t>(record.level)];
    out += to_string(record.level);
    if (colour) out += "\x1b[0m";
    out += ' ';
    append_safe(out, record.message);
    append_text_attributes(out, record, colour ? "\x1b[90m" : "", colour ? "\x1b[0m" : "");
}

void append_log_json(std::string& out, const LogRecord& record) {
    out += "{\"time\":\"";
    append_time(out, record.at);
    out.append("\",\"level\":\"");
    out.append(to_string(record.level)).append("\",\"message\":");
    append_json_string(out, record.message);
    const auto append = [&out](const Attribute& attribute) {
        out += ',';
        // The line's own keys cannot be overwritten by an attribute of the same name.
        const bool reserved =
            attribute.key == "time" || attribute.key == "level" || attribute.key == "message";
        append_json_string(
            out, reserved ? std::string(attribute.key) + "_" : std::string(attribute.key));
        out += ':';
        write_json(out, attribute.value);
    };
    for (const Attribute& attribute : record.attributes) append(attribute);
    for (const Attribute& attribute : record.context) {
        if (!has_key(record.attributes, attribute.key)) append(attribute);
    }
    out += '}';
}

std::string format_log_text(const LogRecord& record, bool colour) {
    std::string out;
    append_log_text(out, record, colour);
    return out;
}

std::string format_log_json(const LogRecord& record) {
    std::string out;
    append_log_json(out, record);
    return out;
}

}  // namespace bennu
