#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "bennu/net/client/curl_transport.hpp"
#include "bennu/net/client/http_client.hpp"
#include "bennu/net/freed.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/net/tls_openssl.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::client_certificates_test {

using namespace std::chrono_literals;

/// Answers with the name of who asks.
struct WhoAsks : HttpHandler {
    BodyPlan body_plan(const RequestHead&) const override { return {}; }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        response.body = request.client_certificate ? request.client_certificate->subject + "\n"
                                                   : std::string("nobody\n");
        co_return response;
    }
    HttpResponse failure(int status, std::string_view, std::string_view) const override {
        HttpResponse response;
        response.status = status;
        return response;
    }
};

struct Pki {
    TlsCertificate server = make_test_certificate({"localhost"});
    TlsCertificate sensor = make_test_certificate({"sensor-7", "sensor-7.example"});
    TlsCertificate stranger = make_test_certificate({"sensor-7"});

    TlsOptions options(ClientCertificates asked) const {
        return {.certificates = {server, make_test_certificate({"other.example"})},
                .client_certificates = asked,
                .client_authorities = sensor.certificate};
    }
    std::shared_ptr<TlsContext> client(TlsCertificate own = {}) const {
        return TlsContext::client(
                   {.authorities = server.certificate, .certificate = std::move(own)})
            .value();
    }
};

constexpr std::string_view hello = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

void serve(TlsOptions tls, Function<Task<>(Ref<HttpServer>, SocketAddress)> clients) {
    simulate({}, [&, clients = std::move(clients)]() mutable -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<WhoAsks>();
        auto server = co_await require(co_await start<HttpServer>(
            {}, HttpServerOptions{.address = {"127.0.0.1", 8443}, .tls = tls}, handler));
        co_await clients(server, co_await call(server, HttpServer::Address{}));
        co_await stop_and_wait(server.pid(), 30s);
        co_return {};
    });
}

/// What the server says to somebody with this context; empty where it hangs up.
Task<std::string> answer(SocketAddress address, std::shared_ptr<TlsContext> client) {
    const std::string heard = co_await exchange(address, std::string(hello), std::move(client));
    const std::size_t head = heard.find("\r\n\r\n");
    co_return head == std::string::npos ? heard : heard.substr(head + 4);
}

TEST(ClientCertificates, where_they_are_required_nobody_else_is_served) {
    const Pki pki;
    serve(pki.options(ClientCertificates::required),
          [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
              EXPECT_EQ(co_await answer(address, pki.client(pki.sensor)), "CN=sensor-7\n");
              EXPECT_EQ(co_await answer(address, pki.client()), "");
              EXPECT_EQ(co_await answer(address, pki.client(pki.stranger)), "");
          });
}

TEST(ClientCertificates, where_they_are_optional_only_a_wrong_one_is_refused) {
    const Pki pki;
    serve(pki.options(ClientCertificates::optional),
          [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
              EXPECT_EQ(co_await answer(address, pki.client(pki.sensor)), "CN=sensor-7\n");
              EXPECT_EQ(co_await answer(address, pki.client()), "nobody\n");
              EXPECT_EQ(co_await answer(address, pki.client(pki.stranger)), "");
          });
    serve(pki.options(ClientCertificates::ignored),
          [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
              EXPECT_EQ(co_await answer(address, pki.client(pki.sensor)), "nobody\n");
          });
}

TEST(ClientCertificates, every_request_of_http_2_knows_whose_it_is) {
    const Pki pki;
    serve(pki.options(ClientCertificates::required),
          [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
              auto context = TlsContext::client({.authorities = pki.server.certificate,
                                                 .protocols = {"h2"},
                                                 .certificate = pki.sensor})
                                 .value();
              auto client =
                  (co_await start<Http2Client>({}, address, Http2Client::Options{.tls = context}))
                      .value();
              for (int i = 0; i < 2; ++i) {
                  const auto heard = co_await call(client, Http2Client::Ask{{{":path", "/"}}});
                  EXPECT_EQ(heard.body, "CN=sensor-7\n");
              }
          });
}

TEST(ClientCertificates, a_resumed_session_keeps_them_until_the_authorities_change) {
    const Pki pki;
    const std::string file = testing::TempDir() + "authorities." + std::to_string(::getpid());
    std::ofstream(file) << pki.sensor.certificate;
    TlsOptions options = pki.options(ClientCertificates::required);
    options.client_authorities.clear();
    options.client_authorities_file = file;
    serve(options, [&](Ref<HttpServer> server, SocketAddress address) -> Task<> {
        auto client = pki.client(pki.sensor);
        EXPECT_EQ(co_await answer(address, client), "CN=sensor-7\n");
        auto agreed = co_await start<RawClient>({}, address, client, "localhost");
        cast(*agreed, RawClient::Send{std::string(hello)});
        EXPECT_TRUE((co_await call(*agreed, RawClient::ReadAll{})).ends_with("CN=sensor-7\n"));

        std::ofstream(file) << pki.stranger.certificate;
        EXPECT_TRUE(co_await call(server, HttpServer::ReloadCertificates{}));
        EXPECT_EQ(co_await answer(address, client), "");
        EXPECT_EQ(co_await answer(address, pki.client(pki.stranger)), "CN=sensor-7\n");

        std::ofstream(file) << "nothing";
        EXPECT_EQ((co_await call(server, HttpServer::ReloadCertificates{})).error().code(),
                  "bad_certificate");
        EXPECT_EQ(co_await answer(address, pki.client(pki.stranger)), "CN=sensor-7\n");
    });
    std::remove(file.c_str());
}

/// A list of its own authority's that revokes that certificate, or nothing.
std::string revocation_list(const TlsCertificate& of, bool revoked) {
    using namespace openssl;
    const CertificatePtr certificate = std::move(read_certificates(of.certificate).front());
    const BioPtr text = memory(of.key.reveal());
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(
        PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
    const std::unique_ptr<X509_CRL, Freed<X509_CRL_free>> list(X509_CRL_new());
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate.get()));
    const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> now(X509_gmtime_adj(nullptr, -60));
    const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> next(X509_gmtime_adj(nullptr, 3600));
    X509_CRL_set1_lastUpdate(list.get(), now.get());
    X509_CRL_set1_nextUpdate(list.get(), next.get());
    if (revoked) {
        X509_REVOKED* entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate.get()));
        X509_REVOKED_set_revocationDate(entry, now.get());
        X509_CRL_add0_revoked(list.get(), entry);
    }
    X509_CRL_sign(list.get(), key.get(), EVP_sha256());
    const BioPtr out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509_CRL(out.get(), list.get());
    return text_of(out.get());
}

TEST(ClientCertificates, revocation_lists_are_obeyed) {
    const Pki pki;
    for (const bool revoked : {false, true}) {
        TlsOptions options = pki.options(ClientCertificates::required);
        options.client_authorities += revocation_list(pki.sensor, revoked);
        serve(options, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
            EXPECT_EQ(co_await answer(address, pki.client(pki.sensor)),
                      revoked ? "" : "CN=sensor-7\n");
        });
    }
}

TEST(ClientCertificates, what_a_client_showed_is_read_out) {
    const Pki pki;
    TlsOptions options = pki.options(ClientCertificates::required);
    auto context = TlsContext::server(options).value();
    auto server = context->accept();
    auto client = pki.client(pki.sensor)->connect("localhost");
    char plaintext[64];
    for (int i = 0; i < 10 && server->status() == TlsSession::Status::handshaking; ++i) {
        for (auto [from, to] :
             {std::pair(client.get(), server.get()), std::pair(server.get(), client.get())}) {
            from->read({});
            const std::string sent(from->pending());
            from->sent(sent.size());
            to->receive(sent);
            to->read(plaintext);
        }
    }
    ASSERT_EQ(server->status(), TlsSession::Status::open) << server->failure();
    ASSERT_TRUE(server->peer_certificate());
    const PeerCertificate& shown = *server->peer_certificate();
    EXPECT_EQ(shown.subject, "CN=sensor-7");
    EXPECT_EQ(shown.common_name, "sensor-7");
    EXPECT_EQ(shown.dns_names, (std::vector<std::string>{"sensor-7", "sensor-7.example"}));
    EXPECT_TRUE(shown.uris.empty());
    EXPECT_EQ(shown.fingerprint.size(), 64u);
    EXPECT_FALSE(shown.serial.empty());
}

TEST(ClientCertificates, authorities_that_cannot_be_read_fail_the_start) {
    const Pki pki;
    TlsOptions options = pki.options(ClientCertificates::required);
    options.client_authorities = "nothing";
    EXPECT_EQ(TlsContext::server(options).error().code(), "bad_certificate");
    options.client_authorities_file = "/nonexistent/authorities.pem";
    EXPECT_TRUE(TlsContext::server(options).error().describe().contains("authorities.pem"));
    auto client = TlsContext::client(
        {.certificate = {.certificate = pki.sensor.certificate, .key = pki.stranger.key}});
    EXPECT_EQ(client.error().code(), "bad_certificate");
}

TEST(ClientCertificates, the_http_client_shows_its_own) {
    const Pki pki;
    run({.shards = 1}, [&]() -> Task<Result<>> {
        HttpServerOptions options;
        options.tls = pki.options(ClientCertificates::required);
        std::shared_ptr<const HttpHandler> handler = std::make_shared<WhoAsks>();
        auto server = co_await require(co_await start<HttpServer>({}, options, handler));
        const SocketAddress bound = co_await call(server, HttpServer::Address{});
        const std::string url = "https://localhost:" + std::to_string(bound.port) + "/";
        HttpClient sensor(make_curl_transport(
            {.authorities = pki.server.certificate, .certificate = pki.sensor}));
        const ClientResponse heard = co_await require(co_await sensor.get(url));
        EXPECT_EQ(heard.body, "CN=sensor-7\n");
        HttpClient nobody(make_curl_transport({.authorities = pki.server.certificate}));
        EXPECT_FALSE(co_await nobody.get(url));
        co_await stop_and_wait(server.pid(), 30s);
        co_return {};
    });
}

}  // namespace bennu::net::client_certificates_test
