#pragma once

#include <atomic>

#include "bennu/web/conn.hpp"

namespace bennu {

enum class Environment : std::uint8_t;

/// Says, once, that browsers drop a cookie: one that is `Secure` and answers a request that came
/// over plain HTTP. Nobody else tells why logins do not last then. In production alone, where
/// session cookies are `Secure`. Shared by all shards.
class SecureCookieHint {
  public:
    explicit SecureCookieHint(Environment environment);
    /// When the response is complete.
    void look_at(const Conn& conn, const Response& response) const;

  private:
    mutable std::atomic<bool> due_;
};

}  // namespace bennu
