#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bennu/web/conn.hpp"

namespace bennu {

/// A host without its port: `[::1]` of `[::1]:4000`.
std::string_view host_without_port(std::string_view host);
/// Whether a host, whose port does not count, is `pattern`: a name, or `*.name` for its subdomains.
bool host_matches(std::string_view pattern, std::string_view host);
/// Whether a host, whose port does not count, is `localhost` or a name below it: this machine, to
/// every browser.
bool is_local_name(std::string_view host);
/// Whether a host holds nothing but what names, addresses and ports are made of. `_` is in the
/// names of containers (`my_app`).
bool plain_host(std::string_view host);

/// Whether an Origin header names this site: the same host and port and, when the client came over
/// HTTPS, that scheme. `null` is no site.
bool same_origin(const Conn& conn, std::string_view origin);
/// Whether it is in a list of `https://app.example`, `//app.example` (any scheme) and
/// `//*.example` (its subdomains).
bool origin_listed(std::string_view origin, std::span<const std::string> allowed);

}  // namespace bennu
