#pragma once

#include <string>
#include <vector>

namespace bennu::net {

/// The certificate that a client showed when it connected, checked against the authorities of
/// `TlsOptions::client_authorities`. Texts are what the authority signed, not escaped for anything.
struct PeerCertificate {
    std::string subject;                 ///< RFC 2253: `CN=sensor-7,O=Example`
    std::string common_name;             ///< of the subject; empty without one
    std::vector<std::string> dns_names;  ///< subjectAltName
    std::vector<std::string> uris;       ///< subjectAltName, as `spiffe://example/sensor`
    std::string serial;                  ///< hexadecimal, as OpenSSL prints it
    std::string fingerprint;             ///< SHA-256 of the certificate, lower-case hexadecimal
};

}  // namespace bennu::net
