#pragma once

#include "bennu/web/plug.hpp"

namespace bennu {

/// For routes of a site whose clients may show a certificate but need not
/// (`EndpointTls::client_certificates` is `optional`): without one 403,
/// `client_certificate_required`. Whose certificate it is, and what its owner may do, is the app's
/// to decide: `Conn::client_certificate`.
struct RequireClientCertificate {
    detail::PlugResult before(const Conn& conn) const;
    static bool needs_body(const Conn&) { return false; }
};

}  // namespace bennu
