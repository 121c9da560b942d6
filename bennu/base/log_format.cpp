#include <array>

#include "bennu/base/log.hpp"
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

/// Text in which nothing can break the line or reach the terminal: C0 and C1 control characters are
/// escaped, broken UTF-8 and the separators U+2028 and U+2029 as well.
void append_safe(std::string& out, std::string_view text) {
    while (!text.empty()) {
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
        } else if (byte < 0x80) {
            out += text.front();
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

bool needs_quotes(std::string_view text) {
    return text.empty() || text.find_first_of(" \"=\\") != std::string_view::npos;
}

void append_value(std::string& out, const AttributeValue& value) {
    const std::string text = to_string(value);
    if (!needs_quotes(text)) return append_safe(out, text);
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

std::string format_log_text(const LogRecord& record, bool colour) {
    std::string out = colour ? "\x1b[90m" : "";
    out += to_string(record.at);
    if (colour) out += "\x1b[0m";
    out += ' ';
    if (colour) out += level_colours[static_cast<std::size_t>(record.level)];
    out += to_string(record.level);
    if (colour) out += "\x1b[0m";
    out += ' ';
    append_safe(out, record.message);
    append_text_attributes(out, record, colour ? "\x1b[90m" : "", colour ? "\x1b[0m" : "");
    return out;
}

std::string format_log_json(const LogRecord& record) {
    std::string out = "{\"time\":\"";
    out.append(to_string(record.at)).append("\",\"level\":\"");
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
    return out;
}

}  // namespace bennu
