#include "bennu/web/protect/require_client_certificate.hpp"

#include "bennu/web/conn.hpp"

namespace bennu {

detail::PlugResult RequireClientCertificate::before(const Conn& conn) const {
    if (conn.client_certificate()) return std::nullopt;
    return error_status(conn, 403, "client_certificate_required",
                        "Only clients that show a certificate are served here.");
}

}  // namespace bennu
