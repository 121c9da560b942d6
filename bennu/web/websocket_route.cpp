#include "bennu/web/websocket_route.hpp"

#include <algorithm>

#include "bennu/base/ascii.hpp"
#include "bennu/net/websocket_handshake.hpp"

namespace bennu {

namespace {

struct Origin {
    std::string_view scheme;
    std::string_view host;  ///< with its port, unless that is the scheme's own
};

Origin make_origin(std::string_view scheme, std::string_view host) {
    std::string_view port = scheme == "https" ? ":443" : ":80";
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

Response websocket(const Conn& conn, std::unique_ptr<net::WebSocketHandler> handler,
                   WebSocketAnswer answer) {
    auto check = net::check_websocket_request(conn.head());
    if (!check.ok) {
        return error_status(conn, check.refusal.status, check.refusal.code, check.refusal.message);
    }
    Response response(101);
    response.headers =
        net::accept_websocket(check.request, net::select_protocol(check.request, answer.protocols));
    response.websocket = std::move(handler);
    response.websocket_options = answer.options;
    return response;
}

bool origin_allowed(const Conn& conn, const OriginPolicy& policy) {
    std::string_view header = conn.header("origin");
    if (header.empty() || !policy.check) return true;
    Origin origin = parse_origin(header);
    if (origin.host.empty()) return false;  // `null`, or no origin at all
    // Behind a proxy the scheme of this site is not known here; its host is.
    if (iequals(make_origin(origin.scheme, conn.host()).host, origin.host)) return true;
    return std::ranges::any_of(policy.allowed, [&](const std::string& allowed) {
        Origin entry = parse_origin(allowed);
        return !entry.host.empty() && covers(entry, origin);
    });
}

}  // namespace bennu
