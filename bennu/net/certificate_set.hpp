#pragma once

#include <string>
#include <vector>

#include "bennu/net/tls.hpp"
#include "bennu/net/tls_openssl.hpp"

namespace bennu::net {

/// The context shows this certificate with its chain from now on. Reads its files (blocks).
Result<> use_certificate(ssl_ctx_st* context, const TlsCertificate& from);

/// The certificates of a listener that were loaded together, each with a context of OpenSSL's.
class CertificateSet {
  public:
    /// Reads the files (blocks). `prepare` gets each context.
    static Result<CertificateSet> load(const std::vector<TlsCertificate>& certificates,
                                       void (*prepare)(ssl_ctx_st* context));
    /// The one whose names fit best; the first when none does. `name` in lower case.
    ssl_ctx_st* choose(std::string_view name) const;
    ssl_ctx_st* first() const { return entries_.front().context.get(); }
    template <typename Visit>
    void each(Visit&& visit) const {
        for (const Entry& entry : entries_) visit(entry.context.get());
    }

  private:
    struct Entry {
        std::vector<std::string> names;  ///< in lower case
        openssl::ContextPtr context;
    };
    static Result<Entry> load_one(const TlsCertificate& from);

    std::vector<Entry> entries_;
};

}  // namespace bennu::net
