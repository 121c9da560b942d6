#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"
#include "bennu/web/conn.hpp"

namespace bennu {

/// Which pages may open a WebSocket. Browsers do not keep those of other sites from it, and send
/// the cookies of this one along.
struct OriginPolicy {
    /// Set: the host of the page must be the one that the request was sent to, at whichever port
    /// and scheme, or its origin one of `allowed`. Clients without an `Origin` header may in any
    /// case: they are no browsers.
    bool check = true;
    /// `https://app.example` (its own port), `https://app.example:8443`, `//app.example` or
    /// `app.example` (any scheme and port), `//app.example:8080`; `*.app.example` in place of a
    /// host goes for that name and all below it.
    std::vector<std::string> allowed = {};
    /// Set: of the request's own host only the page at that port may, and over HTTPS only one that
    /// came so, too. Browsers send a site's cookies along from any port of its host.
    bool exact = false;
};

/// An OriginPolicy, read. Also the plug that every `websocket` route has as its last one. As
/// Phoenix has it, a development server at another port of the same host is this site.
class SocketOrigins {
  public:
    /// What whoever reads a refusal has to change.
    struct OptionNames {
        std::string_view check = "RouteOptions::origins.check";
        std::string_view allowed = "RouteOptions::origins.allowed";
        std::string_view exact = "RouteOptions::origins.exact";
    };
    /// Fails for a pattern without a host, or with a port that is none.
    static Result<SocketOrigins> make(const OriginPolicy& policy);
    static Result<SocketOrigins> make(const OriginPolicy& policy, OptionNames names);

    /// Whether an origin has the host that the request was sent to, at whichever port and scheme.
    static bool same_host(std::string_view origin, std::string_view host);
    /// Whether it is one of `allowed`.
    bool listed(std::string_view origin) const;

    /// Why the request's page may not open the socket, and what would let it; nothing: it may. The
    /// log is told, too, once a second on each shard.
    std::optional<std::string> refusal(const Conn& conn) const;

    /// 403 `origin_not_allowed`: with the reason in development.
    std::optional<Response> before(const Conn& conn) const;
    bool needs_body(const Conn&) const { return false; }

  private:
    struct Pattern {
        std::string scheme;  ///< empty: any
        std::string host;    ///< a name, or `*.name`: that and its subdomains
        std::optional<std::uint16_t> port;
    };
    static Result<Pattern> read(const std::string& text);
    std::string explain(const Conn& conn) const;

    OriginPolicy policy_;
    OptionNames names_;
    std::vector<Pattern> patterns_;
};

}  // namespace bennu
