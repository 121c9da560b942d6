#include "bennu/net/client_certificates.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "bennu/base/bytes.hpp"
#include "bennu/net/tls_openssl.hpp"
#include "bennu/net/tls_text.hpp"

namespace bennu::net {

using namespace openssl;

namespace {

using InfoStack = std::unique_ptr<STACK_OF(X509_INFO), decltype([](STACK_OF(X509_INFO) * all) {
                                      sk_X509_INFO_pop_free(all, X509_INFO_free);
                                  })>;

InfoStack read_all(std::string_view pem) {
    const BioPtr bio = memory(pem);
    InfoStack all(PEM_X509_INFO_read_bio(bio.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
    return all;
}

/// A resumed session is not checked again: it must not outlive a change of the authorities.
std::string session_scope(std::string_view pem) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(pem.data(), pem.size(), digest.data(), &size, EVP_sha256(), nullptr);
    return "bennu" + std::string(reinterpret_cast<const char*>(digest.data()), 16);
}

std::string printed_name(X509_NAME* name) {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    return text_of(bio.get());
}

std::string common_name_of(X509_NAME* name) {
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return {};
    unsigned char* text = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) return {};
    std::string common(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
    return common;
}

std::string serial_of(const X509* certificate) {
    BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
    char* text = BN_bn2hex(number);
    std::string serial = text ? text : "";
    OPENSSL_free(text);
    BN_free(number);
    return serial;
}

std::string fingerprint_of(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
    return hex_encode({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace

Result<ClientAuthorities> ClientAuthorities::load(const TlsOptions& options) {
    ClientAuthorities loaded;
    if (options.client_certificates == ClientCertificates::ignored) return loaded;
    const bool from_file = !options.client_authorities_file.empty();
    Result<std::string> pem =
        from_file ? read_pem(options.client_authorities_file) : options.client_authorities;
    if (!pem) return std::move(pem).error();
    if (read_certificates(*pem).empty()) {
        return bad_certificate("holds no certificate",
                               from_file ? options.client_authorities_file : "client_authorities");
    }
    loaded.pem_ = *std::move(pem);
    loaded.required_ = options.client_certificates == ClientCertificates::required;
    return loaded;
}

void ClientAuthorities::ask_on(SSL_CTX* context) const {
    if (pem_.empty()) return;
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    const InfoStack all = read_all(pem_);
    for (int i = 0; i < sk_X509_INFO_num(all.get()); ++i) {
        const X509_INFO* one = sk_X509_INFO_value(all.get(), i);
        if (one->x509) {
            X509_STORE_add_cert(store, one->x509);
            SSL_CTX_add_client_CA(context, one->x509);
        }
        if (one->crl) {
            X509_STORE_add_crl(store, one->crl);
            X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
        }
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required_ ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    const std::string scope = session_scope(pem_);
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(scope.data()),
                                   static_cast<unsigned>(scope.size()));
}

std::shared_ptr<const PeerCertificate> peer_certificate_of(const SSL* ssl) {
    const X509* certificate = SSL_get0_peer_certificate(ssl);
    if (!certificate) return nullptr;
    X509_NAME* subject = X509_get_subject_name(certificate);
    return std::make_shared<const PeerCertificate>(
        PeerCertificate{.subject = printed_name(subject),
                        .common_name = common_name_of(subject),
                        .dns_names = alternative_names(certificate, GEN_DNS),
                        .uris = alternative_names(certificate, GEN_URI),
                        .serial = serial_of(certificate),
                        .fingerprint = fingerprint_of(certificate)});
}

}  // namespace bennu::net
