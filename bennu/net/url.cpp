#include "bennu/net/url.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace {

Error bad_path(std::string_view why) {
    return Error(ErrorKind::invalid, "bad_path", "the path is malformed: " + std::string(why));
}

Error conflicting(std::string_view key) {
    return Error(ErrorKind::invalid, "conflicting_parameter",
                 "the parameter is used both as a value and as a container: " + repair_utf8(key));
}

/// `a[b][]` as `a`, `b`, and an empty view for "append"; the whole key when its brackets do not
/// match.
std::vector<std::string_view> split_key(std::string_view key) {
    auto open = key.find('[');
    if (open == 0 || open == std::string_view::npos || key.back() != ']') return {key};
    std::vector<std::string_view> steps{key.substr(0, open)};
    auto rest = key.substr(open);
    while (!rest.empty()) {
        auto close = rest.find(']');
        auto inner = rest.substr(0, close);
        if (!rest.starts_with('[') || close == std::string_view::npos ||
            inner.find('[', 1) != std::string_view::npos) {
            return {key};
        }
        steps.push_back(inner.substr(1));
        rest.remove_prefix(close + 1);
    }
    return steps;
}

/// Follows the steps from the root and puts the value at their end.
Result<> place(Json& root, const std::vector<std::string_view>& steps, std::string_view key,
               Json value) {
    Json* at = &root;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        bool append = i > 0 && steps[i].empty();
        if (append ? !(at->is_null() || at->is_array()) : !(at->is_null() || at->is_object())) {
            return conflicting(key);
        }
        if (append) {
            at = &at->push_back(Json());
        } else if (auto* member = at->find(steps[i])) {
            at = member;
        } else {
            at = &at->set(steps[i], Json());
        }
    }
    if (!at->is_null() && !at->is_string()) return conflicting(key);
    *at = std::move(value);
    return {};
}

Result<std::string> decode_text(std::string_view text) {
    auto decoded = percent_decode(text, PlusSign::space);
    if (decoded && !valid_utf8(*decoded)) {
        return Error(ErrorKind::invalid, "invalid_utf8", "a parameter is not UTF-8");
    }
    return decoded;
}

void append_query(std::string& out, const std::string& key, const Json& value) {
    if (value.is_object()) {
        for (const auto& member : value.as_object()) {
            auto name = percent_encode(member.key);
            append_query(out, key.empty() ? name : key + "[" + name + "]", member.value);
        }
        return;
    }
    if (value.is_array()) {
        for (const auto& item : value.as_array()) append_query(out, key + "[]", item);
        return;
    }
    if (!out.empty()) out += '&';
    out.append(key).append("=");
    if (value.is_string()) {
        out += percent_encode(value.as_string());
    } else if (!value.is_null()) {
        out += percent_encode(to_json(value));
    }
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, PlusSign plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == PlusSign::space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return Error(ErrorKind::invalid, "bad_percent_encoding",
                             "a % is not followed by two hex digits");
            }
            out += static_cast<char>(high << 4 | low);
            i += 2;
        }
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        if (is_ascii_alpha(c) || is_ascii_digit(c) || c == '-' || c == '.' || c == '_' ||
            c == '~') {
            out += c;
        } else {
            auto byte = static_cast<unsigned char>(c);
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return out;
}

Result<std::vector<std::string>> split_path(std::string_view path) {
    if (!path.empty() && path.front() != '/') return bad_path("it does not begin with /");
    std::vector<std::string> segments;
    while (!path.empty()) {
        path.remove_prefix(1);
        auto raw = path.substr(0, path.find('/'));
        path.remove_prefix(raw.size());
        if (raw.empty()) continue;
        auto segment = percent_decode(raw);
        if (!segment) return bad_path("bad percent encoding");
        if (*segment == "." || *segment == "..") return bad_path("a dot segment");
        if (segment->find('/') != std::string::npos || segment->find('\\') != std::string::npos) {
            return bad_path("a slash or backslash inside a segment");
        }
        if (std::any_of(segment->begin(), segment->end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
            return bad_path("a control character");
        }
        if (!valid_utf8(*segment)) return bad_path("not UTF-8");
        segments.push_back(*std::move(segment));
    }
    return segments;
}

Result<Json> parse_query(std::string_view query, QueryLimits limits) {
    auto root = Json::object();
    std::size_t count = 0;
    while (!query.empty()) {
        auto pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (pair.empty()) continue;
        if (++count > limits.parameters) {
            return Error(ErrorKind::too_large, "too_many_parameters", "too many parameters");
        }
        auto equals = pair.find('=');
        auto key = decode_text(pair.substr(0, equals));
        if (!key) return std::move(key).error();
        auto value = decode_text(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
        if (!value) return std::move(value).error();
        auto steps = split_key(*key);
        if (steps.size() - 1 > limits.depth) {
            return Error(ErrorKind::too_large, "too_deep", "a parameter is nested too deeply");
        }
        if (auto placed = place(root, steps, *key, Json(*value)); !placed)
            return std::move(placed).error();
    }
    return root;
}

std::string encode_query(const Json& parameters) {
    std::string out;
    append_query(out, "", parameters);
    return out;
}

}  // namespace bennu::net
