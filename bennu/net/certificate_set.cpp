#include "bennu/net/certificate_set.hpp"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "bennu/base/ascii.hpp"
#include "bennu/net/freed.hpp"
#include "bennu/net/tls_text.hpp"

namespace bennu::net {

using namespace openssl;

SSL_CTX* CertificateSet::choose(std::string_view name) const {
    for (const Entry& entry : entries_) {
        for (const std::string& own : entry.names) {
            if (own == name) return entry.context.get();
        }
    }
    for (const Entry& entry : entries_) {
        for (const std::string& own : entry.names) {
            if (covers_name(own, name)) return entry.context.get();
        }
    }
    return first();
}

Result<> use_certificate(SSL_CTX* context, const TlsCertificate& from) {
    Result<std::string> chain_text =
        from.certificate_file.empty() ? from.certificate : read_pem(from.certificate_file);
    if (!chain_text) return std::move(chain_text).error();
    Result<std::string> key_text =
        from.key_file.empty() ? std::string(from.key.reveal()) : read_pem(from.key_file);
    if (!key_text) return std::move(key_text).error();
    std::string name = from.certificate_file.empty() ? "certificate" : from.certificate_file;

    std::vector<CertificatePtr> chain = read_certificates(*chain_text);
    if (chain.empty()) return bad_certificate("holds no certificate", name);
    BioPtr bio = memory(*key_text);
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(PEM_read_bio_PrivateKey(
        bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
    OPENSSL_cleanse(key_text->data(), key_text->size());
    if (!key) return bad_certificate("no readable key", name);

    if (SSL_CTX_use_certificate(context, chain.front().get()) != 1 ||
        SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return bad_certificate("certificate and key do not fit", name);
    }
    for (std::size_t i = 1; i < chain.size(); ++i) SSL_CTX_add1_chain_cert(context, chain[i].get());
    return {};
}

Result<CertificateSet::Entry> CertificateSet::load_one(const TlsCertificate& from) {
    Entry entry;
    entry.context.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* context = entry.context.get();
    if (Result<> used = use_certificate(context, from); !used) return std::move(used).error();
    for (const std::string& own : alternative_names(SSL_CTX_get0_certificate(context), GEN_DNS))
        entry.names.push_back(to_lower(own));
    return entry;
}

Result<CertificateSet> CertificateSet::load(const std::vector<TlsCertificate>& certificates,
                                            void (*prepare)(SSL_CTX* context)) {
    CertificateSet set;
    for (const TlsCertificate& one : certificates) {
        auto entry = load_one(one);
        if (!entry) return std::move(entry).error();
        prepare(entry->context.get());
        set.entries_.push_back(*std::move(entry));
    }
    if (set.entries_.empty()) {
        return Error(ErrorKind::invalid, "no_certificate", "TLS needs a certificate");
    }
    return set;
}

}  // namespace bennu::net
