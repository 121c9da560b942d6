#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/base/keys.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu {

/// Gives actions cookies that clients cannot change, beside the session: "remember me", a chosen
/// currency, the step of a wizard. Keys are of the endpoint's secret; what an older one sealed is
/// still read. Comes after `TrustedProxies`, whose word on the scheme decides what is `Secure`.
class SealedCookies {
  public:
    /// Error `no_secret` without a secret of at least 32 bytes.
    Result<> start(const EndpointOptions& endpoint);
    void before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }

  private:
    std::shared_ptr<const KeyRing> keys_;
    bool production_ = false;
};

enum class CookieSeal : unsigned char {
    encrypted,  ///< the client can neither read nor change it
    signed_,    ///< readable, not changeable
};

/// Sets the cookie with its value, any bytes, sealed; `Secure` in production and over HTTPS. The
/// text holds the cookie's name, so that one cookie cannot pass for another. More than 4,096 bytes
/// with the name, or no `SealedCookies` before, is a fault.
void put_sealed_cookie(const Conn& conn, Cookie cookie, CookieSeal seal = CookieSeal::encrypted);

/// The value; nothing when there is no such cookie, when it was changed, sealed in the other way or
/// under another name, or when it is older than `max_age`, whatever the browser was told.
std::optional<std::string> sealed_cookie(const Conn& conn, std::string_view name, Duration max_age,
                                         CookieSeal seal = CookieSeal::encrypted);

}  // namespace bennu
