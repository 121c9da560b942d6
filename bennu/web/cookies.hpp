#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bennu/base/time.hpp"

namespace bennu {

enum class SameSite : unsigned char { lax, strict, none };

/// A cookie to set. The defaults are the careful ones: not readable by scripts, not sent along by
/// other sites, gone with the browser's session.
struct Cookie {
    std::string name;
    std::string value;
    std::string path = "/";
    std::string domain = {};               ///< empty: this host only
    std::optional<Duration> max_age = {};  ///< zero deletes the cookie
    SameSite same_site = SameSite::lax;
    bool http_only = true;
    bool secure =
        false;  ///< HTTPS only; implied by `SameSite::none` and `__Host-`/`__Secure-` names
};

/// The value of a `Set-Cookie` header. A name that is no token, or a value, path or domain with
/// characters that cannot be there (control characters, `;`, `,`, quotes, spaces, backslash) is a
/// fault: encode text of users first (base64url, percent).
std::string format_set_cookie(const Cookie& cookie);

/// The first cookie of that name in a `Cookie` header; quotes around the value are taken off.
std::optional<std::string_view> find_cookie(std::string_view header, std::string_view name);

}  // namespace bennu
