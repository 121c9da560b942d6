#include "bennu/web/origin.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"

namespace bennu {

namespace {

struct Origin {
    std::string_view scheme;
    std::string_view host;  ///< with its port, unless that is the scheme's own
};

Origin make_origin(std::string_view scheme, std::string_view host) {
    std::string_view port = iequals(scheme, "https") ? ":443" : ":80";
    if (!scheme.empty() && host.ends_with(port)) host.remove_suffix(port.size());
    return {scheme, host};
}

/// Reads `https://host:port` and `//host`; an empty host when it is neither.
Origin parse_origin(std::string_view text) {
    std::size_t slashes = text.find("//");
    if (slashes == std::string_view::npos) return {};
    std::string_view scheme = text.substr(0, slashes);
    if (scheme.ends_with(':')) scheme.remove_suffix(1);
    return make_origin(scheme, text.substr(slashes + 2));
}

bool covers(const Origin& allowed, const Origin& origin) {
    if (!allowed.scheme.empty() && !iequals(allowed.scheme, origin.scheme)) return false;
    if (!allowed.host.starts_with("*.")) return iequals(allowed.host, origin.host);
    std::string_view suffix = allowed.host.substr(1);
    return origin.host.size() > suffix.size() &&
           iequals(origin.host.substr(origin.host.size() - suffix.size()), suffix);
}

}  // namespace

std::string_view host_without_port(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

bool host_matches(std::string_view pattern, std::string_view host) {
    return covers({{}, pattern}, {{}, host_without_port(host)});
}

bool is_local_name(std::string_view host) {
    return host_matches("localhost", host) || host_matches("*.localhost", host);
}

bool plain_host(std::string_view host) {
    return !host.empty() && std::ranges::all_of(host, [](char c) {
        return is_ascii_alpha(c) || is_ascii_digit(c) || std::string_view("._-:[]").contains(c);
    });
}

bool same_origin(const Conn& conn, std::string_view text) {
    Origin origin = parse_origin(text);
    if (!plain_host(origin.host)) return false;  // `null`, a user's name, or no origin at all
    bool https = iequals(origin.scheme, "https");
    if (!https && (conn.scheme() == Scheme::https || !iequals(origin.scheme, "http"))) return false;
    // A proxy that is not declared may have taken the TLS off: then the scheme here is HTTP.
    return iequals(make_origin(origin.scheme, conn.host()).host, origin.host);
}

bool origin_listed(std::string_view text, std::span<const std::string> allowed) {
    Origin origin = parse_origin(text);
    return plain_host(origin.host) && std::ranges::any_of(allowed, [&](const std::string& entry) {
               Origin wanted = parse_origin(entry);
               // `//host` leaves the port to be compared as the page's scheme has it.
               if (wanted.scheme.empty())
                   wanted.host = make_origin(origin.scheme, wanted.host).host;
               return !wanted.host.empty() && covers(wanted, origin);
           });
}

}  // namespace bennu
