#pragma once

#include <array>
#include <string_view>

namespace bennu::net {

namespace detail {
constexpr std::array<bool, 256> make_token_table() {
    std::array<bool, 256> table{};
    for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
    for (unsigned char c = 'a'; c <= 'z'; ++c)
        table[c] = table[static_cast<unsigned char>(c - 32)] = true;
    for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
    return table;
}
inline constexpr auto token_table = make_token_table();

/// Letters, digits and what else may stand in the name of a host.
inline constexpr auto host_table = [] {
    std::array<bool, 256> table{};
    for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
    for (unsigned char c = 'a'; c <= 'z'; ++c)
        table[c] = table[static_cast<unsigned char>(c - 32)] = true;
    for (unsigned char c : {'-', '.', '_'}) table[c] = true;
    return table;
}();
}  // namespace detail

/// tchar of RFC 9110.
constexpr bool is_token_char(char c) {
    return detail::token_table[static_cast<unsigned char>(c)];
}

constexpr bool is_token(std::string_view text) {
    for (char c : text) {
        if (!is_token_char(c)) return false;
    }
    return !text.empty();
}

/// CR, LF, NUL, DEL and the other controls, tab excepted.
constexpr bool is_forbidden_control(char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/// The value of a hex digit, -1 for another character.
constexpr int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Without spaces and tabs at both ends (OWS of RFC 9110).
constexpr std::string_view trim_ows(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Calls `each` with every non-empty element of a comma-separated list.
template <typename Each>
constexpr void for_each_element(std::string_view list, Each each) {
    while (!list.empty()) {
        auto comma = list.find(',');
        auto element = trim_ows(list.substr(0, comma));
        if (!element.empty()) each(element);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
}

/// `name`, IPv4 or `[IPv6]`, with an optional port: `:` and perhaps a number of 1 to 65535. Strict:
/// no userinfo, no percent.
constexpr bool is_host_and_port(std::string_view text) {
    std::size_t end = 0;
    if (text.starts_with('[')) {
        end = text.find(']');
        if (end == std::string_view::npos || end < 3) return false;
        for (char c : text.substr(1, end - 1)) {
            if (hex_value(c) < 0 && c != ':' && c != '.') return false;
        }
        ++end;
    } else {
        while (end < text.size() && text[end] != ':') {
            if (!detail::host_table[static_cast<unsigned char>(text[end++])]) return false;
        }
        if (end == 0) return false;
    }
    if (end == text.size()) return true;
    auto port = text.substr(end);
    if (port == ":") return true;
    if (port.size() > 6 || port.front() != ':') return false;
    unsigned number = 0;
    for (char c : port.substr(1)) {
        if (c < '0' || c > '9') return false;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    return number >= 1 && number <= 65535;
}

/// The same without a colon that no port follows: `a:` means what `a` means.
constexpr std::string_view without_empty_port(std::string_view host) {
    if (host.ends_with(':')) host.remove_suffix(1);
    return host;
}

}  // namespace bennu::net
