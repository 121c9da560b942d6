#include "bennu/web/protect/basic_auth.hpp"

#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"

namespace bennu {

namespace {

/// Digests have one length, so that the comparison does not tell those of the texts.
bool same_text(std::string_view a, std::string_view b) {
    return constant_time_equal(as_text(sha256(a)), as_text(sha256(b)));
}

}  // namespace

BasicAuth::BasicAuth(std::vector<BasicCredential> credentials, std::string realm)
    : credentials_(std::move(credentials)),
      challenge_("Basic realm=\"" + realm + "\", charset=\"UTF-8\"") {
    for (const BasicCredential& one : credentials_) {
        if (one.user.empty() || one.user.contains(':') || one.password.empty()) {
            throw std::invalid_argument("basic auth needs a name without a colon and a password");
        }
    }
    if (realm.find_first_of("\"\\") != std::string::npos) {
        throw std::invalid_argument("a realm has no quotes or backslashes");
    }
}

detail::PlugResult BasicAuth::before(const Conn& conn) const {
    std::string_view header = conn.header("authorization");
    std::string sent;
    if (header.size() > 6 && iequals(header.substr(0, 6), "basic ")) {
        sent = base64_decode(trim(header.substr(6))).value_or(std::string());
    }
    std::string_view text = sent;
    std::string_view user = text.substr(0, text.find(':'));
    std::string_view password = text.substr(std::min(user.size() + 1, text.size()));
    const BasicCredential* passed = nullptr;
    for (const BasicCredential& one : credentials_) {
        bool right_user = same_text(one.user, user);
        bool right_password = same_text(one.password.reveal(), password);
        if (right_user && right_password) passed = &one;
    }
    if (!passed) {
        return error_status(conn, 401, "unauthorized", "A name and a password are needed here.")
            .with_header("www-authenticate", challenge_);
    }
    conn.assign(BasicUser{passed->user});
    return std::nullopt;
}

}  // namespace bennu
