#pragma once

#include <memory>
#include <string>

#include "bennu/web/plug.hpp"

namespace bennu {

/// Echoes `x-request-id`, the client's when it is well-formed, else a new one.
struct RequestIds {
    void after(const Conn& conn, Response& response) const;
};

/// One structured line per response: method, path (without the query; parameters of the path that
/// `filter_parameters` names are `***`), status, duration, bytes, request id, peer. The level is
/// the route's; answers of 500 and above are at least warnings. Costs one load when the level is
/// off.
struct AccessLog {
    /// Whether a second line shows the parameters of path, query and body, as `shown_parameters`
    /// has them. A body that nobody read is not read for this.
    enum class Parameters : std::uint8_t { left_out, shown } parameters = Parameters::left_out;
    void after(const Conn& conn, Response& response) const;
};

struct ContentPolicy {
    /// More sources per directive, as in {"img-src", "https://tiles.example"}.
    std::vector<std::pair<std::string, std::string>> more = {};
    /// Replaces the whole policy; `HOST` stands for the request's host, `NONCE` for the source
    /// `'nonce-…'` of the response, and for nothing when it has none.
    std::string whole = {};
};

/// Over HTTPS, browsers are told to come no other way (Strict-Transport-Security). Not said for
/// `localhost`, where it would stick to every other program on that machine.
struct TransportPolicy {
    /// At least a year is what audits ask for; zero: nothing is said.
    Duration max_age = std::chrono::days(365);
    enum class Subdomains : std::uint8_t { free, included } subdomains = Subdomains::free;
};

/// The nonce of this response, for its inline scripts and styles: `<script nonce="…">`. Made on
/// first use; SecureHeaders puts it into the policy.
std::string_view csp_nonce(const Conn& conn);

/// What every response of an app should carry. Documents (HTML, SVG, XML) get a
/// Content-Security-Policy that fits pages whose scripts and styles are files of this site, with
/// sockets to the same host; Referrer-Policy and Cross-Origin-Opener-Policy. Everything gets
/// `nosniff`, and Strict-Transport-Security over HTTPS. Headers that the action set itself stay.
class SecureHeaders {
  public:
    explicit SecureHeaders(ContentPolicy policy = {}, TransportPolicy transport = {});
    void after(const Conn& conn, Response& response) const;
    /// The policy for a host, for tests and for pages that extend it.
    std::string policy_for(std::string_view host, std::string_view nonce = {}) const;

  private:
    std::string policy_;
    std::string transport_;
};

/// Reads the body before the action, so that a bad one is refused even if the action would not
/// look: 415, 400, 413, 422. Requests without a body pass.
struct ParseBody {
    void before(const Conn& conn) const;
};

/// Refuses clients that accept none of the types: 406.
struct Accepts {
    std::vector<std::string> types = {"application/json"};
    detail::PlugResult before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }
};

}  // namespace bennu
