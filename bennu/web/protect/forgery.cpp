#include "bennu/web/protect/forgery.hpp"

#include <array>

#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"
#include "bennu/base/random.hpp"
#include "bennu/web/origin.hpp"
#include "bennu/web/session/session.hpp"

namespace bennu {

namespace {

constexpr std::size_t secret_size = 32;

std::string random_text(std::size_t size) {
    std::string text(size, '\0');
    secure_random(std::as_writable_bytes(std::span(text)));
    return text;
}

std::string xor_text(std::string_view a, std::string_view b) {
    std::string out(a);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(a[i] ^ b[i]);
    return out;
}

bool is_safe(net::Method method) {
    return method == net::Method::get || method == net::Method::head ||
           method == net::Method::options || method == net::Method::trace;
}

/// The token that came along; a body is looked into only when it is a form.
std::string_view sent_token(const Conn& conn) {
    if (std::string_view header = conn.header("x-csrf-token"); !header.empty()) return header;
    if (!conn.has_form()) return {};
    const Json* field = conn.body_params().find("_csrf_token");
    return field && field->is_string() ? field->as_string() : std::string_view();
}

}  // namespace

class SessionForgery {
  public:
    static std::string secret(const Session& session) {
        auto bytes = base64url_decode(session.data().forgery);
        return bytes && bytes->size() == secret_size ? *std::move(bytes) : std::string();
    }
    static std::string make_secret(Session& session) {
        std::string present = secret(session);
        if (!present.empty()) return present;
        std::string made = random_text(secret_size);
        session.change().forgery = base64url_encode(made);
        return made;
    }
};

std::string csrf_token(const Conn& conn) {
    std::string secret = SessionForgery::make_secret(conn.session());
    std::string mask = random_text(secret_size);
    return base64url_encode(mask + xor_text(mask, secret));
}

std::string csrf_field(const Conn& conn) {
    return "<input type=\"hidden\" name=\"_csrf_token\" value=\"" + csrf_token(conn) + "\">";
}

bool valid_csrf_token(const Conn& conn, std::string_view token) {
    std::string secret = SessionForgery::secret(conn.session());
    if (secret.empty() || token.size() > 4 * secret_size) return false;
    Result<std::string> bytes = base64url_decode(token);
    if (!bytes || bytes->size() != 2 * secret_size) return false;
    std::string_view all = *bytes;
    return constant_time_equal(xor_text(all.substr(0, secret_size), all.substr(secret_size)),
                               secret);
}

ProtectFromForgery::Verdict ProtectFromForgery::judge(const Conn& conn) const {
    std::string_view site = conn.header("sec-fetch-site");
    std::string_view origin = conn.header("origin");
    if (site == "same-origin" || site == "none") return Verdict::pass;
    if (site == "same-site" && options_.same_site == ForgeryOptions::SameSitePages::allowed) {
        return Verdict::pass;
    }
    if (!origin.empty() && origin_listed(origin, options_.origins)) return Verdict::pass;
    if (!site.empty()) return Verdict::refuse;
    if (origin.empty()) return Verdict::unknown;
    return same_origin(conn, origin) ? Verdict::pass : Verdict::refuse;
}

bool ProtectFromForgery::needs_token(Verdict verdict) const {
    using Token = ForgeryOptions::Token;
    if (options_.token == Token::never) return false;
    return options_.token == Token::always || verdict == Verdict::unknown;
}

bool ProtectFromForgery::needs_body(const Conn& conn) const {
    if (is_safe(conn.method()) || !conn.has_form() || !conn.header("x-csrf-token").empty())
        return false;
    const Verdict verdict = judge(conn);
    return verdict != Verdict::refuse && needs_token(verdict);
}

detail::PlugResult ProtectFromForgery::before(const Conn& conn) const {
    if (is_safe(conn.method())) return std::nullopt;
    Verdict verdict = judge(conn);
    const bool token = needs_token(verdict);
    if (verdict != Verdict::refuse && (!token || valid_csrf_token(conn, sent_token(conn)))) {
        return std::nullopt;
    }
    return error_status(conn, 403, "forged_request",
                        "This request does not come from a page of this site, or the page is too "
                        "old: reload it and try again.");
}

}  // namespace bennu
