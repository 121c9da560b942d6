#include "clients/device/url.hpp"

#include <algorithm>
#include <charconv>

namespace bennu::device {

namespace {

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void append_encoded(std::string& out, std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '~') {
            out += c;
        } else {
            out += '%';
            out += digits[static_cast<unsigned char>(c) >> 4];
            out += digits[static_cast<unsigned char>(c) & 15];
        }
    }
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (text.substr(0, prefix.size()) != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool read_port(std::string_view text, std::uint16_t& port) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && stop == text.data() + text.size() && port != 0;
}

/// Splits `[::1]:4000` or `host:4000`.
bool read_authority(std::string_view text, SocketUrl& url) {
    std::string_view port;
    std::string_view extra;
    if (take_prefix(text, "[")) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return false;
        url.host = text.substr(0, end);
        port = text.substr(end + 1);
        extra = ":.";
    } else {
        const std::size_t colon = std::min(text.find(':'), text.size());
        url.host = text.substr(0, colon);
        port = text.substr(colon);
        extra = "-._";
    }
    const bool plain = std::all_of(url.host.begin(), url.host.end(), [&](char c) {
        return is_letter_or_digit(c) || extra.find(c) != std::string_view::npos;
    });
    if (url.host.empty() || !plain) return false;
    return port.empty() || (take_prefix(port, ":") && read_port(port, url.port));
}

}  // namespace

std::optional<SocketUrl> parse_url(std::string_view text) {
    SocketUrl url;
    if (take_prefix(text, "ws://")) {
        url.secure = false;
        url.port = 80;
    } else if (!take_prefix(text, "wss://")) {
        return std::nullopt;
    }
    const std::size_t slash = std::min(text.find('/'), text.size());
    if (!read_authority(text.substr(0, slash), url)) return std::nullopt;
    if (slash < text.size()) url.path = text.substr(slash);
    const bool plain = std::all_of(url.path.begin(), url.path.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '"' && c != '<' && c != '>';
    });
    return plain ? std::optional(std::move(url)) : std::nullopt;
}

std::string SocketUrl::authority() const {
    std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != (secure ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

std::string SocketUrl::target(
    const std::vector<std::pair<std::string, std::string>>& params) const {
    std::string out = path;
    if (out.back() == '/') out.pop_back();
    out += "/websocket?";
    for (const auto& [name, value] : params) {
        append_encoded(out, name);
        out += '=';
        append_encoded(out, value);
        out += '&';
    }
    return out + "vsn=2.0.0";
}

}  // namespace bennu::device
