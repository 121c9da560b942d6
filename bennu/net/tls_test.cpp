#include "bennu/net/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <fstream>

#include "bennu/base/events.hpp"
#include "bennu/net/http_server.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/net/tls_text.hpp"
#include "bennu/net/tls_tickets.hpp"
#include "bennu/net/websocket_frame.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::tls_test {

using namespace std::chrono_literals;

struct EchoingSocket : WebSocketHandler {
    void on_open(WebSocketConnection&) override {}
    void on_text(WebSocketConnection& socket, std::string_view text) override {
        socket.send_text(text);
    }
    void on_binary(WebSocketConnection&, std::string_view) override {}
};

struct TlsHandler : HttpHandler {
    std::string file = {};

    BodyPlan body_plan(const RequestHead& head) const override {
        return {.limit = 10'000'000,
                .delivery = head.target() == "/stream" ? BodyPlan::Delivery::streamed
                                                       : BodyPlan::Delivery::gathered};
    }
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        std::string_view target = request.head.target();
        if (target == "/big") {
            response.body = std::string(1'000'000, 'b');
        } else if (target == "/stream") {
            response.body =
                BodyProducer([in = request.stream](BodyWriter out) mutable -> Task<Result<>> {
                    while (auto piece = co_await require(in.next()))
                        co_await require(out.write(std::move(*piece)));
                    co_return Result<>();
                });
        } else if (target == "/file") {
            auto opened = OpenFile::open(file);
            response.body = FileBody{*opened, 0, (*opened)->size()};
        } else if (target == "/ws") {
            auto check = check_websocket_request(request.head);
            response.status = 101;
            response.headers = accept_websocket(check.request);
            response.websocket =
                std::make_unique<WebSocketUpgrade>(std::make_unique<EchoingSocket>());
        } else {
            response.body = std::string(request.tls ? "secure " : "plain ") + request.body;
        }
        co_return response;
    }
    HttpResponse failure(int status, std::string_view, std::string_view) const override {
        HttpResponse response;
        response.status = status;
        return response;
    }
};

struct Pki {
    TlsCertificate first = make_test_certificate({"localhost", "a.example"});
    TlsCertificate second = make_test_certificate({"b.example", "*.b.example"});
    TlsOptions server() const { return {.certificates = {first, second}}; }
    std::shared_ptr<TlsContext> client(std::vector<std::string> protocols = {}) const {
        return TlsContext::client({.authorities = first.certificate + second.certificate,
                                   .protocols = std::move(protocols)})
            .value();
    }
    /// Trusts only one of them.
    static std::shared_ptr<TlsContext> trusting(const TlsCertificate& one) {
        return TlsContext::client({.authorities = one.certificate}).value();
    }
};

SimOutcome serve(SimOptions sim, HttpServerOptions options,
                 Function<Task<>(Ref<HttpServer>, SocketAddress)> client, std::string file = {}) {
    return simulate(sim, [options, file, client = std::move(client)]() mutable -> Task<Result<>> {
        options.address.port = 8443;
        auto own = std::make_shared<TlsHandler>();
        own->file = file;
        std::shared_ptr<const HttpHandler> handler = own;
        auto server = co_await start<HttpServer>({}, options, handler);
        if (!server) co_return std::move(server).error();
        co_await client(*server, co_await call(*server, HttpServer::Address{}));
        co_await stop_and_wait(server->pid(), 30s);
        co_return {};
    });
}

constexpr std::string_view hello = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

BENNU_SIM_TEST(Tls, everything_of_http_works_over_it, options) {
    Pki pki;
    std::string path = testing::TempDir() + "tls_test." + std::to_string(::getpid());
    std::string text(300'000, 'f');
    for (std::size_t i = 0; i < text.size(); i += 3) text[i] = static_cast<char>('a' + i % 23);
    std::ofstream(path) << text;
    std::string answers, streamed;
    SimOutcome outcome = serve(
        options, {.tls = pki.server()},
        [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
            answers =
                co_await exchange(address,
                                  "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
                                  "GET /big HTTP/1.1\r\nhost: x\r\n\r\n"
                                  "GET /file HTTP/1.1\r\nhost: x\r\n\r\n" +
                                      std::string(hello),
                                  pki.client());
            streamed = co_await exchange(address,
                                         "POST /stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
                                         "content-length: 200000\r\n\r\n" +
                                             std::string(200'000, 's'),
                                         pki.client());
        },
        path);
    std::remove(path.c_str());
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(answers.contains("\r\n\r\nsecure bodyHTTP/1.1 200 OK"));
    EXPECT_TRUE(answers.contains(std::string(1'000'000, 'b') + "HTTP/1.1"));
    EXPECT_TRUE(answers.contains(text + "HTTP/1.1"));
    EXPECT_TRUE(answers.ends_with("secure "));
    EXPECT_GT(streamed.size(), 200'000U);
    EXPECT_TRUE(streamed.ends_with("0\r\n\r\n"));
}

struct TalkingSocket : WebSocketHandler {
    explicit TalkingSocket(std::vector<std::string>& l) : log(l) {}
    void on_open(WebSocketConnection& socket) override { socket.send_text("over tls"); }
    void on_text(WebSocketConnection& socket, std::string_view text) override {
        log.emplace_back(text);
        socket.close(1000);
    }
    void on_binary(WebSocketConnection&, std::string_view) override {}
    void on_close(WebSocketConnection&, std::uint16_t code, std::string_view) override {
        log.push_back(std::to_string(code));
    }
    std::vector<std::string>& log;
};

BENNU_SIM_TEST(Tls, websockets_work_over_it, options) {
    Pki pki;
    std::vector<std::string> log, refused;
    serve(options, {.tls = pki.server()}, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
        auto client = connect_websocket(
            {.address = address, .path = "/ws", .tls = pki.client(), .server_name = "localhost"},
            std::make_unique<TalkingSocket>(log));
        (void)co_await exit_of(client.pid());
        auto wrong = connect_websocket({.address = address,
                                        .path = "/ws",
                                        .tls = pki.client(),
                                        .server_name = "other.example"},
                                       std::make_unique<TalkingSocket>(refused));
        (void)co_await exit_of(wrong.pid());
    });
    EXPECT_EQ(log, (std::vector<std::string>{"over tls", "1000"}));
    EXPECT_EQ(refused, (std::vector<std::string>{"1006"}));
}

Task<RawClient::Agreed> agree(SocketAddress address, std::shared_ptr<TlsContext> tls,
                              std::string host = "localhost") {
    auto client =
        co_await start<RawClient>({}, std::move(address), std::move(tls), std::move(host));
    cast(*client, RawClient::Send{std::string(hello)});
    (void)co_await call(*client, RawClient::ReadAll{}, {.timeout = 20s});
    RawClient::Agreed agreed = co_await call(*client, RawClient::GetAgreed{});
    kill(client->pid());
    co_return agreed;
}

TEST(Tls, the_name_chooses_the_certificate_and_alpn_the_protocol) {
    Pki pki;
    serve({}, {.tls = pki.server()}, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
        auto second = Pki::trusting(pki.second);
        EXPECT_EQ((co_await agree(address, second, "b.example")).failure, "");
        EXPECT_EQ((co_await agree(address, second, "x.b.example")).failure, "");
        EXPECT_NE((co_await agree(address, second, "x.y.b.example")).failure, "");
        EXPECT_NE((co_await agree(address, second, "a.example")).failure, "");
        EXPECT_EQ((co_await agree(address, Pki::trusting(pki.first), "A.Example")).failure, "");

        RawClient::Agreed none = co_await agree(address, pki.client());
        EXPECT_EQ(none.version, "TLSv1.3");
        EXPECT_EQ(none.protocol, "");
        EXPECT_EQ((co_await agree(address, pki.client({"http/1.1", "h2"}))).protocol, "h2");
        EXPECT_EQ((co_await agree(address, pki.client({"http/1.1"}))).protocol, "http/1.1");
        EXPECT_NE((co_await agree(address, pki.client({"spdy/1"}))).failure, "");
    });
}

TEST(Tls, sessions_resume_on_every_shard_until_their_keys_are_gone) {
    Pki pki;
    TlsOptions tls = pki.server();
    tls.ticket_rotation = 1h;
    serve({.shards = 4, .limit = 10h}, {.tls = tls},
          [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
              auto client = pki.client();
              EXPECT_FALSE((co_await agree(address, client)).resumed);
              for (int i = 0; i < 8; ++i) EXPECT_TRUE((co_await agree(address, client)).resumed);
              co_await sleep(61min);
              EXPECT_TRUE((co_await agree(address, client)).resumed);
              co_await sleep(59min);  // the ticket was renewed an hour ago
              EXPECT_TRUE((co_await agree(address, client)).resumed);
              co_await sleep(121min);
              EXPECT_FALSE((co_await agree(address, client)).resumed);
          });
}

TEST(Tls, ticket_keys_follow_from_the_secret_alone) {
    Secret secret(std::string(32, 's'));
    TicketKeys one(secret, 1h), same(secret, 1h), other(Secret{}, 1h), another(Secret{}, 1h);
    TicketKeys::Key key = one.current();
    EXPECT_TRUE(same.find(key.name));
    EXPECT_EQ(same.find(key.name)->key.mac, key.mac);
    EXPECT_FALSE(other.find(key.name));
    EXPECT_FALSE(other.find(another.current().name));
    EXPECT_NE(key.cipher, key.mac);
}

TEST(Tls, certificates_are_replaced_while_it_runs) {
    Pki pki, next;
    std::string certificate = testing::TempDir() + "tls_cert." + std::to_string(::getpid());
    std::string key = testing::TempDir() + "tls_key." + std::to_string(::getpid());
    auto write = [&](const TlsCertificate& from) {
        std::ofstream(certificate) << from.certificate;
        std::ofstream(key) << from.key.reveal();
    };
    write(pki.first);
    TlsOptions tls{.certificates = {{.certificate_file = certificate, .key_file = key}}};
    serve({}, {.tls = tls}, [&](Ref<HttpServer> server, SocketAddress address) -> Task<> {
        auto old_client = Pki::trusting(pki.first), new_client = Pki::trusting(next.first);
        EXPECT_EQ((co_await agree(address, old_client)).failure, "");
        EXPECT_NE((co_await agree(address, new_client)).failure, "");
        write({.certificate = next.first.certificate, .key = pki.first.key});
        Result<> bad = co_await call(server, HttpServer::ReloadCertificates{});
        EXPECT_FALSE(bad);
        if (!bad) EXPECT_EQ(bad.error().code(), "bad_certificate");
        EXPECT_EQ((co_await agree(address, old_client)).failure, "");
        write(next.first);
        EXPECT_TRUE(co_await call(server, HttpServer::ReloadCertificates{}));
        EXPECT_EQ((co_await agree(address, new_client)).failure, "");
        EXPECT_NE((co_await agree(address, Pki::trusting(pki.first))).failure, "");
    });
    std::remove(certificate.c_str());
    std::remove(key.c_str());
}

BENNU_SIM_TEST(Tls, plain_http_is_told_to_encrypt, options) {
    Pki pki;
    std::string whole, noise;
    serve(options, {.tls = pki.server()}, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
        whole = co_await exchange(address, "DELETE /thing HTTP/1.1\r\nhost: x\r\n\r\n");
        noise = co_await exchange(address, "hello there\r\n\r\n");
    });
    EXPECT_TRUE(whole.starts_with("HTTP/1.1 400 Bad Request\r\n")) << whole;
    EXPECT_TRUE(whole.contains("connection: close\r\n")) << whole;
    const std::size_t body = whole.find("\r\n\r\n") + 4;
    EXPECT_TRUE(whole.substr(body).contains("https://")) << whole;
    EXPECT_TRUE(whole.contains("content-length: " + std::to_string(whole.size() - body) + "\r\n"));
    EXPECT_FALSE(noise.contains("HTTP/1.1")) << noise;
}

BENNU_SIM_TEST(Tls, frames_right_behind_the_handshake_of_a_websocket_are_read, options) {
    Pki pki;
    std::string answer;
    serve(options, {.tls = pki.server()}, [&](Ref<HttpServer>, SocketAddress address) -> Task<> {
        std::string bytes =
            "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        for (int i = 0; i < 50; ++i)
            encode_masked_frame(bytes, Opcode::text, std::string(5'000, 'f'), 0x01020304);
        encode_masked_close(bytes, 1000, "", 0x01020304);
        answer = co_await exchange(address, bytes, pki.client());
    });
    EXPECT_GT(answer.size(), 250'000U);
    EXPECT_TRUE(answer.ends_with(std::string("\x88\x02\x03\xe8"))) << answer.size();
}

TEST(Tls, bad_handshakes_end_only_themselves_and_are_announced) {
    Pki pki;
    std::vector<std::string> outcomes;
    auto listening = subscribe_events("net.tls.handshake", [&](const EventView& event) {
        outcomes.emplace_back(std::get<std::string_view>(event.metadata[0].value.data()));
    });
    std::string plain, garbage, silent;
    Duration waited{};
    serve({}, {.tls = pki.server()}, [&](Ref<HttpServer> server, SocketAddress address) -> Task<> {
        plain = co_await exchange(address, std::string(hello));
        garbage = co_await exchange(
            address, std::string("\x16\x03\x01\x02\x00\x01\xff", 7) + std::string(600, '\xee'));
        Instant from = now();
        silent = co_await exchange(address, "");
        waited = now() - from;
        EXPECT_EQ((co_await agree(address, pki.client())).failure, "");
        co_await sleep(3s);
        EXPECT_EQ(co_await call(server, HttpServer::Connections{}), 0U);
    });
    EXPECT_TRUE(plain.starts_with("HTTP/1.1 400 ")) << plain;
    EXPECT_FALSE(garbage.contains("HTTP/1.1"));
    EXPECT_EQ(silent, "");
    EXPECT_GE(waited, 5s);
    EXPECT_LT(waited, 8s);
    EXPECT_EQ(outcomes, (std::vector<std::string>{"failed", "failed", "timeout", "ok"}));
}

TEST(Tls, handshakes_at_once_are_limited) {
    Pki pki;
    TlsOptions tls = pki.server();
    tls.max_handshakes = 2;
    serve({.shards = 1}, {.tls = tls},
          [&](Ref<HttpServer> server, SocketAddress address) -> Task<> {
              for (int i = 0; i < 5; ++i) (void)co_await start<RawClient>({}, address);
              co_await sleep(1s);
              EXPECT_EQ(co_await call(server, HttpServer::Connections{}), 2U);
              co_await sleep(7s);
              EXPECT_EQ(co_await call(server, HttpServer::Connections{}), 0U);
              EXPECT_EQ((co_await agree(address, pki.client())).failure, "");
          });
}

TEST(Tls, what_cannot_be_served_fails_the_start) {
    Pki pki;
    auto refused = [](TlsOptions options) {
        auto made = TlsContext::server(std::move(options));
        return made ? std::string("ok") : std::string(made.error().code());
    };
    EXPECT_EQ(refused({}), "no_certificate");
    EXPECT_EQ(refused({.certificates = {{.certificate_file = "/nonexistent"}}}), "no_certificate");
    EXPECT_EQ(refused({.certificates = {{.certificate = "nonsense"}}}), "bad_certificate");
    EXPECT_EQ(refused({.certificates = {{.certificate = pki.first.certificate}}}),
              "bad_certificate");
    EXPECT_EQ(
        refused({.certificates = {{.certificate = pki.first.certificate, .key = pki.second.key}}}),
        "bad_certificate");
    EXPECT_EQ(refused(pki.server()), "ok");
    SimOutcome outcome = serve({}, {.tls = TlsOptions{}},
                               [](Ref<HttpServer>, SocketAddress) -> Task<> { co_return; });
    EXPECT_NE(outcome.status, 0);
}

TEST(TlsText, names_cover_one_label) {
    EXPECT_TRUE(covers_name("a.example", "a.example"));
    EXPECT_FALSE(covers_name("a.example", "b.a.example"));
    EXPECT_TRUE(covers_name("*.example", "a.example"));
    EXPECT_FALSE(covers_name("*.example", "a.b.example"));
    EXPECT_FALSE(covers_name("*.example", "example"));
    EXPECT_FALSE(covers_name("*.example", ".example"));
    EXPECT_EQ(alpn_list({"h2", "http/1.1"}), "\x02h2\x08http/1.1");
}

/// What OpenSSL's own client makes of the server, with these limits on what it offers: version and
/// cipher, or `refused`. Blocks.
std::string handshake_with(std::uint16_t port, int version, const char* ciphers) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    if (ciphers) SSL_CTX_set_cipher_list(context, ciphers);
    BIO* bio = BIO_new_ssl_connect(context);
    BIO_set_conn_hostname(bio, ("127.0.0.1:" + std::to_string(port)).c_str());
    std::string outcome = "refused";
    if (BIO_do_connect(bio) == 1) {
        SSL* ssl = nullptr;
        BIO_get_ssl(bio, &ssl);
        outcome = std::string(SSL_get_version(ssl)) + " " + SSL_get_cipher_name(ssl);
    }
    BIO_free_all(bio);
    SSL_CTX_free(context);
    return outcome;
}

TEST(TlsMultiShard, only_modern_versions_and_ciphers) {
    Pki pki;
    run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<TlsHandler>();
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.tls = pki.server()}, handler);
        std::uint16_t port = (co_await call(*server, HttpServer::Address{})).port;
        struct Row {
            int version;
            const char* ciphers;
            std::string outcome;
        };
        const Row rows[] = {
            {TLS1_VERSION, nullptr, "refused"},
            {TLS1_1_VERSION, nullptr, "refused"},
            {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", "refused"},
            {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA384", "refused"},
            {TLS1_2_VERSION, "AES128-GCM-SHA256", "refused"},
            {TLS1_2_VERSION, "aNULL:eNULL", "refused"},
            {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256",
             "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"},
            {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305",
             "TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305"},
            {TLS1_3_VERSION, nullptr, "TLSv1.3 TLS_AES_256_GCM_SHA384"},
        };
        for (const Row& row : rows) {
            std::string outcome = co_await offload(
                [&row, port] { return handshake_with(port, row.version, row.ciphers); });
            EXPECT_EQ(outcome, row.outcome)
                << row.version << " " << (row.ciphers ? row.ciphers : "");
        }
        co_await stop_and_wait(server->pid(), 5s);
        co_return {};
    });
}

TEST(TlsMultiShard, serves_over_real_sockets) {
    Pki pki;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<TlsHandler>();
        auto server =
            co_await start<HttpServer>({}, HttpServerOptions{.tls = pki.server()}, handler);
        SocketAddress address = co_await call(*server, HttpServer::Address{});
        auto client = pki.client();
        for (int i = 0; i < 20; ++i) {
            std::string answer = co_await exchange(address, std::string(hello), client);
            EXPECT_TRUE(answer.ends_with("secure ")) << answer;
        }
        co_await stop_and_wait(server->pid(), 5s);
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::net::tls_test
