#pragma once

#include <string>
#include <vector>

#include "bennu/web/plug.hpp"

namespace bennu {

struct ForceSslOptions {
    /// Where to: a host, with its port unless that is 443. Empty: the host that was asked for,
    /// which the client chose.
    std::string host = {};
    /// Hosts, and paths with all below them, that stay on HTTP.
    std::vector<std::string> except_hosts = {"localhost", "127.0.0.1", "[::1]"};
    std::vector<std::string> except_paths = {"/livez", "/healthz", "/readyz"};
};

/// Sends clients that came over HTTP to HTTPS: 301 for GET and HEAD, 308 for the rest. Comes after
/// TrustedProxies, which says how the client came; SecureHeaders then tells it to stay.
class ForceSsl {
  public:
    explicit ForceSsl(ForceSslOptions options = {}) : options_(std::move(options)) {}
    detail::PlugResult before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }

  private:
    ForceSslOptions options_;
};

/// Whether a path is `prefix` or lies below it.
bool path_is_under(std::string_view path, std::string_view prefix);

}  // namespace bennu
