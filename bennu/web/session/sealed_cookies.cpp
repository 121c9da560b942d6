#include "bennu/web/session/sealed_cookies.hpp"

#include <stdexcept>

#include "bennu/runtime/context.hpp"

namespace bennu {

namespace {

constexpr std::size_t cookie_limit = 4096;  // what every browser takes, name and value

struct CookieKeys {
    std::shared_ptr<const KeyRing> ring;
    bool production;
};

}  // namespace

Result<> SealedCookies::start(const EndpointOptions& endpoint) {
    Result<KeyRing> keys = endpoint_keys(endpoint, "bennu sealed cookie");
    if (!keys) return std::move(keys).error();
    keys_ = std::make_shared<const KeyRing>(*std::move(keys));
    production_ = endpoint.environment == Environment::prod;
    return {};
}

void SealedCookies::before(const Conn& conn) const {
    conn.assign(CookieKeys{keys_, production_});
}

void put_sealed_cookie(const Conn& conn, Cookie cookie, CookieSeal seal) {
    const CookieKeys& keys = conn.get<CookieKeys>();
    // A name is a token: it has no `=`.
    const std::string plain = cookie.name + "=" + cookie.value;
    const Timestamp now = wall_now();
    cookie.value =
        seal == CookieSeal::encrypted ? keys.ring->seal(plain, now) : keys.ring->sign(plain, now);
    if (cookie.name.size() + cookie.value.size() > cookie_limit) {
        throw std::length_error("the cookie " + cookie.name + " would have over 4,096 bytes");
    }
    if (keys.production || conn.scheme() == Scheme::https) cookie.secure = true;
    conn.set_cookie(cookie);
}

std::optional<std::string> sealed_cookie(const Conn& conn, std::string_view name, Duration max_age,
                                         CookieSeal seal) {
    const KeyRing& keys = *conn.get<CookieKeys>().ring;
    const std::optional<std::string_view> text = conn.cookie(name);
    if (!text) return std::nullopt;
    Result<std::string> plain = seal == CookieSeal::encrypted
                                    ? keys.open(*text, wall_now(), max_age)
                                    : keys.verify(*text, wall_now(), max_age);
    const std::string begin = std::string(name) + "=";
    if (!plain || !plain->starts_with(begin)) return std::nullopt;
    return plain->substr(begin.size());
}

}  // namespace bennu
