#include "bennu/web/socket_origins.hpp"

#include <algorithm>
#include <charconv>

#include "bennu/base/ascii.hpp"
#include "bennu/base/excerpt.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/log_bound.hpp"
#include "bennu/web/origin.hpp"

namespace bennu {

namespace {

struct Origin {
    std::string_view scheme;
    std::string_view host;
    std::optional<std::uint16_t> port;  ///< the scheme's own where it says none
};

std::optional<std::uint16_t> port_of(std::string_view scheme) {
    if (iequals(scheme, "http") || iequals(scheme, "ws")) return 80;
    if (iequals(scheme, "https") || iequals(scheme, "wss")) return 443;
    return std::nullopt;
}

/// Reads `scheme://host:port`, of which `scheme:` and `:port` may be missing. Nothing: neither that
/// nor `//host`.
std::optional<Origin> read_origin(std::string_view text) {
    const std::size_t slashes = text.find("//");
    if (slashes == std::string_view::npos) return std::nullopt;
    Origin origin{.scheme = text.substr(0, slashes), .host = {}, .port = {}};
    if (origin.scheme.ends_with(':')) origin.scheme.remove_suffix(1);
    text.remove_prefix(slashes + 2);
    text = text.substr(0, text.find('/'));
    origin.host = host_without_port(text);
    origin.port = port_of(origin.scheme);
    std::string_view rest = text.substr(origin.host.size());
    if (rest.empty()) return origin;
    if (rest.front() != ':') return std::nullopt;
    std::uint16_t port = 0;
    auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
    if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
    origin.port = port;
    return origin;
}

/// What a browser sends. Nothing: `null`, a user's name, or no origin at all.
std::optional<Origin> read_page(std::string_view text) {
    std::optional<Origin> origin = read_origin(text);
    return origin && plain_host(origin->host) ? origin : std::nullopt;
}

bool host_fits(std::string_view pattern, std::string_view host) {
    if (!pattern.starts_with("*.")) return iequals(pattern, host);
    return iequals(pattern.substr(2), host) || host_matches(pattern, host);
}

struct RefusedOrigins {
    LogBound bound;
};

std::optional<std::uint64_t> log_it() {
    if (!on_shard()) return 0;
    return shard_local<RefusedOrigins>().bound.next();
}

}  // namespace

Result<SocketOrigins> SocketOrigins::make(const OriginPolicy& policy) {
    return make(policy, OptionNames());
}

Result<SocketOrigins> SocketOrigins::make(const OriginPolicy& policy, OptionNames names) {
    SocketOrigins origins;
    origins.policy_ = policy;
    origins.names_ = names;
    for (const std::string& text : policy.allowed) {
        Result<Pattern> pattern = read(text);
        if (!pattern) return std::move(pattern).error();
        origins.patterns_.push_back(*std::move(pattern));
    }
    return origins;
}

Result<SocketOrigins::Pattern> SocketOrigins::read(const std::string& text) {
    const bool bare = text.find("//") == std::string::npos;
    const std::string full = bare ? "//" + text : text;
    const std::optional<Origin> origin = read_origin(full);
    std::string_view name = origin ? origin->host : std::string_view();
    if (name.starts_with("*.")) name.remove_prefix(2);
    if (!plain_host(name)) {
        return Error(ErrorKind::invalid, "origin",
                     "\"" + text +
                         "\" in the origins of a socket is none: they are written as "
                         "https://app.example, //app.example:8080 or //*.app.example");
    }
    return Pattern{.scheme = std::string(origin->scheme),
                   .host = std::string(origin->host),
                   .port = origin->port};
}

bool SocketOrigins::same_host(std::string_view text, std::string_view host) {
    const std::optional<Origin> origin = read_page(text);
    return origin && iequals(origin->host, host_without_port(host));
}

bool SocketOrigins::listed(std::string_view text) const {
    const std::optional<Origin> origin = read_page(text);
    return origin && std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
               return (pattern.scheme.empty() || iequals(pattern.scheme, origin->scheme)) &&
                      (!pattern.port || pattern.port == origin->port) &&
                      host_fits(pattern.host, origin->host);
           });
}

/// What a developer has to know of it: which origin, what is allowed, and where to change that.
std::string SocketOrigins::explain(const Conn& conn) const {
    std::string why = "pages of the origin " + std::string(excerpt(conn.header("origin"))) +
                      " may not open this socket. Allowed: ";
    why += excerpt(policy_.exact ? conn.host() : host_without_port(conn.host()));
    if (policy_.exact) {
        why += " (where the request was sent to; " + std::string(names_.exact) + ")";
    } else {
        why += " (the host that the request was sent to)";
    }
    for (const std::string& origin : policy_.allowed) why += ", " + origin;
    return why + ". If this one should be, add it to " + std::string(names_.allowed) + "; " +
           std::string(names_.check) + " = false allows all";
}

std::optional<std::string> SocketOrigins::refusal(const Conn& conn) const {
    const std::string_view origin = conn.header("origin");
    if (origin.empty() || !policy_.check) return std::nullopt;
    const bool own = policy_.exact ? same_origin(conn, origin) : same_host(origin, conn.host());
    if (own || listed(origin)) return std::nullopt;
    std::string why = explain(conn);
    if (auto others = log_it()) {
        log_warning("a socket is refused for its origin", {{"path", conn.path()},
                                                           {"origin", excerpt(origin)},
                                                           {"why", why},
                                                           {"others", *others}});
    }
    return why;
}

std::optional<Response> SocketOrigins::before(const Conn& conn) const {
    const std::optional<std::string> why = refusal(conn);
    if (!why) return std::nullopt;
    return error_status(conn, 403, "origin_not_allowed",
                        conn.development() ? *why : "sockets from this origin are not allowed");
}

}  // namespace bennu
