#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bennu/web/endpoint.hpp"
#include "bennu/web/session/session.hpp"
#include "bennu/web/session/session_store.hpp"

namespace bennu {

enum class SecureCookie : std::uint8_t {
    automatic,  ///< in production, and whenever the client came over HTTPS
    always,
    never,
};

struct SessionOptions {
    /// Becomes `__Host-…` where the cookie is secure: no other host can set it then.
    std::string cookie = "session";
    /// How long it lives without being used, and how long at most after `renew`.
    Duration idle = std::chrono::days(7);
    Duration absolute = std::chrono::days(30);
    /// Unset: the session itself, encrypted, is the cookie. Set: the cookie holds 32 random bytes.
    std::shared_ptr<SessionStore> store = {};
    SecureCookie secure = SecureCookie::automatic;
    SameSite same_site = SameSite::lax;
    /// How long the browser keeps it; unset: until it is closed.
    std::optional<Duration> keep = {};
};

/// Gives requests their `conn.session()`. Comes after `TrustedProxies`, whose word on the scheme
/// decides what the cookie is called. Cookies that were changed, that another secret sealed or
/// whose time is up are none: the request is anonymous.
///
/// A session that does not fit into a cookie (4,096 bytes with its name) is a fault of the request
/// that wrote it; one in a store has no limit.
class Sessions {
  public:
    explicit Sessions(SessionOptions options = {});

    /// Error `no_secret` without a secret of at least 32 bytes.
    Result<> start(const EndpointOptions& endpoint);
    Task<detail::PlugResult> before(Conn conn) const;
    static bool needs_body(const Conn&) { return false; }
    Task<> after(Conn conn, Response& response) const;

  private:
    bool secure(const Conn& conn) const;
    std::string cookie_name(const Conn& conn) const;
    bool fresh(const detail::SessionData& data, Timestamp now) const;
    Duration life(const detail::SessionData& data, Timestamp now) const;
    void set_cookie(const Conn& conn, Response& response, std::string value, Duration life) const;
    void remove_cookie(const Conn& conn, Response& response) const;
    Task<Result<>> store(Conn conn, Response& response, Session& session) const;

    SessionOptions options_;
    std::shared_ptr<const KeyRing> keys_;
    bool production_ = false;
};

}  // namespace bennu
