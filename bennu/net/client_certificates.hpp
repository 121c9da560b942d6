#pragma once

#include <memory>

#include "bennu/net/peer_certificate.hpp"
#include "bennu/net/tls.hpp"

struct ssl_ctx_st;
struct ssl_st;

/// Certificates of clients (mutual TLS).
namespace bennu::net {

/// Authorities and revocation lists, to be set on each context of a listener.
class ClientAuthorities {
  public:
    /// Reads the file of the options, if they name one (blocks). Empty where clients are not asked.
    static Result<ClientAuthorities> load(const TlsOptions& options);
    /// Clients are asked for a certificate from now on. Once per context.
    void ask_on(ssl_ctx_st* context) const;

  private:
    std::string pem_;  ///< empty: nobody is asked
    bool required_ = false;
};

/// Null when the client showed none.
std::shared_ptr<const PeerCertificate> peer_certificate_of(const ssl_st* ssl);

}  // namespace bennu::net
