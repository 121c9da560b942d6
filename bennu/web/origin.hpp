#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/web/conn.hpp"

namespace bennu {

/// A host without its port: `[::1]` of `[::1]:4000`.
std::string_view host_without_port(std::string_view host);
/// Whether a host, whose port does not count, is `pattern`: a name, or `*.name` for its subdomains.
bool host_matches(std::string_view pattern, std::string_view host);
/// Whether a host holds nothing but what names, addresses and ports are made of.
bool plain_host(std::string_view host);

/// Whether an Origin header names this site: the same host and port and, when the client came over
/// HTTPS, that scheme. `null` is no site.
bool same_origin(const Conn& conn, std::string_view origin);
/// Whether it is in a list of `https://app.example`, `//app.example` (any scheme) and
/// `//*.example` (its subdomains).
bool origin_listed(std::string_view origin, std::span<const std::string> allowed);

/// Which pages of other sites may connect. Browsers do not protect WebSockets as they do requests,
/// so this check does.
struct OriginPolicy {
    /// As `origin_listed` takes them.
    std::vector<std::string> allowed = {};
    bool check = true;
};

/// True for a page of this site, for an allowed one, and for clients that are no browser (no Origin
/// header).
bool origin_allowed(const Conn& conn, const OriginPolicy& policy = {});

}  // namespace bennu
