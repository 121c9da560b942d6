#pragma once

#include <string>
#include <vector>

#include "bennu/web/plug.hpp"

namespace bennu {

struct ForgeryOptions {
    /// Other sites whose pages may send, as `origin_listed` takes them: `https://app.example`.
    std::vector<std::string> origins = {};
    /// Whether pages of sister hosts (`Sec-Fetch-Site: same-site`) may.
    enum class SameSitePages : std::uint8_t { refused, allowed } same_site = SameSitePages::refused;
    /// When the session's token is needed: from clients that do not say where a request comes from,
    /// always, or never. `never` needs no `Sessions`, and lets through who says neither: programs,
    /// and browsers of before 2020.
    enum class Token : std::uint8_t {
        without_headers,
        always,
        never
    } token = Token::without_headers;
};

/// Refuses what other sites make a browser send (403, `forged_request`). GET, HEAD, OPTIONS and
/// TRACE pass: they must change nothing. Any other request needs one of
///
/// * `Sec-Fetch-Site`: `same-origin` or `none`;
/// * else an `Origin` that is this site, or one of `origins` (when `Sec-Fetch-Site` says otherwise:
///   one of `origins`);
/// * when there is neither header: the session's token, in the header `x-csrf-token` or in the
///   form's field `_csrf_token`. With `Token::never` they pass.
///
/// For pipelines of browsers, after `Sessions`, unless the token is asked for `never`: that is for
/// an API which its network or a client certificate protects, where a visitor's browser may what a
/// stranger's page must not. Requests that bring a bearer token or a signature cannot be forged;
/// give them a pipeline without it.
///
/// "This site" is the host that the request was sent to: let `EndpointOptions::hosts` say which
/// those may be, or a page can make its own name lead here.
class ProtectFromForgery {
  public:
    explicit ProtectFromForgery(ForgeryOptions options = {}) : options_(std::move(options)) {}
    detail::PlugResult before(const Conn& conn) const;
    /// Only where the token of a form decides.
    bool needs_body(const Conn& conn) const;

  private:
    enum class Verdict : std::uint8_t { pass, refuse, unknown };
    Verdict judge(const Conn& conn) const;
    bool needs_token(Verdict verdict) const;

    ForgeryOptions options_;
};

/// The token of this session, for a form or a script. Masked anew each time, so that a compressed
/// page does not tell it; every one of them is valid until `Session::renew` or the session's end.
std::string csrf_token(const Conn& conn);
/// The same as a hidden field of a form.
std::string csrf_field(const Conn& conn);
/// Whether a text is a token of this conn's session.
bool valid_csrf_token(const Conn& conn, std::string_view token);

}  // namespace bennu
