#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"

struct bio_st;
struct ssl_ctx_st;
struct x509_st;

/// What the files of TLS share of OpenSSL's, under its own names of the types.
namespace bennu::net::openssl {

struct Free {
    void operator()(bio_st* bio) const;
    void operator()(ssl_ctx_st* context) const;
    void operator()(x509_st* certificate) const;
};
using BioPtr = std::unique_ptr<bio_st, Free>;
using ContextPtr = std::unique_ptr<ssl_ctx_st, Free>;
using CertificatePtr = std::unique_ptr<x509_st, Free>;

/// Why OpenSSL failed last on this thread; forgets it.
std::string last_failure();
/// `bad_certificate`, with what OpenSSL says.
Error bad_certificate(std::string_view what, std::string_view name);
/// Reads from `text`, which must outlive it.
BioPtr memory(std::string_view text);
/// What was written to a `BIO_s_mem`.
std::string text_of(bio_st* bio);
/// All certificates of a PEM text.
std::vector<CertificatePtr> read_certificates(std::string_view pem);
/// The alternative names of one kind (GEN_DNS, GEN_URI), as they are written.
std::vector<std::string> alternative_names(const x509_st* certificate, int kind);

}  // namespace bennu::net::openssl
