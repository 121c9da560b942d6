#pragma once

#include <string>
#include <vector>

#include "bennu/web/plug.hpp"

namespace bennu {

struct CorsOptions {
    /// `https://app.example`, `//*.app.example`, as `origin_listed` takes them; `*` alone: every
    /// site, which excludes credentials.
    std::vector<std::string> origins;
    /// Only for paths below these; empty: all.
    std::vector<std::string> paths = {};
    std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    /// Request headers that pages may set, besides those that they always may.
    std::vector<std::string> headers = {"content-type", "authorization"};
    /// Response headers that pages may read, besides the simple ones.
    std::vector<std::string> expose = {};
    /// Whether browsers may send cookies along and show the page what came back.
    enum class Credentials : std::uint8_t { refused, allowed } credentials = Credentials::refused;
    /// How long browsers may remember the answer to a preflight.
    Duration max_age = std::chrono::hours(2);
};

/// Lets pages of other sites call this one. Answers preflights itself, also for paths without an
/// OPTIONS route: a plug of the router. A page that is not listed gets no permission, and its
/// browser keeps the answer from it; a request that changes something has run all the same, which
/// is what ProtectFromForgery is for.
class Cors {
  public:
    explicit Cors(CorsOptions options);
    /// Error `bad_cors`: every site with credentials, or no site at all.
    Result<> start(const EndpointOptions& endpoint);
    detail::PlugResult before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }
    void after(const Conn& conn, Response& response) const;

  private:
    bool covers(const Conn& conn) const;
    void permit(const Conn& conn, net::Headers& headers) const;

    CorsOptions options_;
    bool any_ = false;
};

}  // namespace bennu
