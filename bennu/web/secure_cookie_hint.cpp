#include "bennu/web/secure_cookie_hint.hpp"

#include "bennu/base/ascii.hpp"
#include "bennu/base/log.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu {

namespace {

bool is_secure(std::string_view cookie) {
    while (!cookie.empty()) {
        const std::string_view part = cookie.substr(0, cookie.find(';'));
        cookie.remove_prefix(std::min(part.size() + 1, cookie.size()));
        if (iequals(trim(part), "secure")) return true;
    }
    return false;
}

}  // namespace

SecureCookieHint::SecureCookieHint(Environment environment)
    : due_(environment == Environment::prod) {}

void SecureCookieHint::look_at(const Conn& conn, const Response& response) const {
    if (!due_.load(std::memory_order_relaxed) || conn.scheme() == Scheme::https) return;
    for (auto [name, value] : response.headers) {
        if (!iequals(name, "set-cookie") || !is_secure(value)) continue;
        if (!due_.exchange(false)) return;
        log_warning(
            "browsers drop a cookie that is Secure, because it was set over plain HTTP",
            {{"cookie", value.substr(0, value.find('='))},
             {"host", conn.host()},
             {"effect", "what it holds does not last: logins seem to do nothing"},
             {"what_helps",
              "serve over TLS (endpoint.tls.certificates); or, where a proxy in front does, name "
              "it in endpoint.trusted_proxies and have it send X-Forwarded-Proto; or, on a "
              "developer's machine, set endpoint.environment to dev"}});
        return;
    }
}

}  // namespace bennu
