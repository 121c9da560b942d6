#include "bennu/web/cookies.hpp"

#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http_message.hpp"

namespace bennu {

namespace {

/// What RFC 6265 allows in a value.
bool is_cookie_text(std::string_view text) {
    for (char c : text) {
        if (c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\') return false;
    }
    return true;
}

void check(bool fine, std::string_view what) {
    if (!fine) throw std::invalid_argument("a cookie cannot have this " + std::string(what));
}

std::string_view same_site_text(SameSite same_site) {
    switch (same_site) {
        case SameSite::lax:
            return "Lax";
        case SameSite::strict:
            return "Strict";
        case SameSite::none:
            return "None";
    }
    return "Lax";
}

}  // namespace

std::string format_set_cookie(const Cookie& cookie) {
    check(net::Headers::valid_name(cookie.name), "name");
    check(is_cookie_text(cookie.value), "value");
    check(is_cookie_text(cookie.path), "path");
    check(is_cookie_text(cookie.domain), "domain");
    std::string out = cookie.name + "=" + cookie.value;
    if (!cookie.path.empty()) out += "; Path=" + cookie.path;
    if (!cookie.domain.empty()) out += "; Domain=" + cookie.domain;
    if (cookie.max_age) {
        auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*cookie.max_age).count();
        out += "; Max-Age=" + std::to_string(seconds);
    }
    if (cookie.http_only) out += "; HttpOnly";
    bool prefixed = cookie.name.starts_with("__Host-") || cookie.name.starts_with("__Secure-");
    if (cookie.secure || prefixed || cookie.same_site == SameSite::none) out += "; Secure";
    out.append("; SameSite=").append(same_site_text(cookie.same_site));
    return out;
}

std::optional<std::string_view> find_cookie(std::string_view header, std::string_view name) {
    while (!header.empty()) {
        std::string_view pair = header.substr(0, header.find(';'));
        header.remove_prefix(std::min(pair.size() + 1, header.size()));
        std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) continue;
        std::string_view value = trim(pair.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        return value;
    }
    return std::nullopt;
}

}  // namespace bennu
