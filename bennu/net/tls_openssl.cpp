#include "bennu/net/tls_openssl.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bennu/net/freed.hpp"

namespace bennu::net::openssl {

namespace {

using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

}  // namespace

void Free::operator()(bio_st* bio) const {
    BIO_free(bio);
}
void Free::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}
void Free::operator()(x509_st* certificate) const {
    X509_free(certificate);
}

std::string last_failure() {
    unsigned long code = ERR_peek_last_error();
    const char* reason = code ? ERR_reason_error_string(code) : nullptr;
    ERR_clear_error();
    return reason ? reason : "unknown";
}

Error bad_certificate(std::string_view what, std::string_view name) {
    return Error(ErrorKind::invalid, "bad_certificate", std::string(what) + ": " + last_failure())
        .with_context(name);
}

BioPtr memory(std::string_view text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(bio_st* bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    return {text, static_cast<std::size_t>(size)};
}

std::vector<CertificatePtr> read_certificates(std::string_view pem) {
    std::vector<CertificatePtr> all;
    BioPtr bio = memory(pem);
    while (CertificatePtr one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)})
        all.push_back(std::move(one));
    ERR_clear_error();  // the end of the text
    return all;
}

std::vector<std::string> alternative_names(const X509* certificate, int kind) {
    std::vector<std::string> names;
    Names alternatives(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
        if (name->type != kind) continue;
        // Both kinds are IA5 strings in the same place of the union.
        const unsigned char* text = ASN1_STRING_get0_data(name->d.ia5);
        names.emplace_back(reinterpret_cast<const char*>(text),
                           static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5)));
    }
    return names;
}

}  // namespace bennu::net::openssl
