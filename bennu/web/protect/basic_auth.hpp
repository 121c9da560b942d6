#pragma once

#include <string>
#include <vector>

#include "bennu/base/secret.hpp"
#include "bennu/web/plug.hpp"

namespace bennu {

struct BasicCredential {
    std::string user;
    Secret password;
};

/// Who passed, as an assign of the conn.
struct BasicUser {
    std::string name;
};

/// Asks browsers for a name and a password (RFC 7617) and lets those of the list in: for a staging
/// site or a page of operators, not for accounts. The comparison takes the same time whatever is
/// wrong. Use it over HTTPS.
class BasicAuth {
  public:
    /// An empty name or password in the list is a fault.
    explicit BasicAuth(std::vector<BasicCredential> credentials, std::string realm = "Restricted");
    detail::PlugResult before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }

  private:
    std::vector<BasicCredential> credentials_;
    std::string challenge_;
};

}  // namespace bennu
