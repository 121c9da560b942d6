#include "bennu/net/tls.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include "bennu/base/ascii.hpp"
#include "bennu/net/certificate_set.hpp"
#include "bennu/net/client_certificates.hpp"
#include "bennu/net/freed.hpp"
#include "bennu/net/tls_openssl.hpp"
#include "bennu/net/tls_plain_http.hpp"
#include "bennu/net/tls_text.hpp"
#include "bennu/net/tls_tickets.hpp"

namespace bennu::net {

using namespace openssl;
using Ssl = std::unique_ptr<SSL, Freed<SSL_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;

struct TlsContextState {
    explicit TlsContextState(TlsOptions o)
        : options(std::move(o)), tickets(options.ticket_secret, options.ticket_rotation) {}

    TlsOptions options;
    TicketKeys tickets;
    std::string alpn;
    std::mutex mutex;
    std::shared_ptr<const CertificateSet> certificates;
    ContextPtr client;
    std::map<std::string, SessionPtr> sessions;  ///< of clients, by host
};

struct TlsSessionState {
    std::shared_ptr<TlsContext> context;
    TlsContextState* shared = nullptr;
    std::shared_ptr<const CertificateSet> certificates;
    Ssl ssl;
    std::string_view fresh;  ///< what `receive` was given and OpenSSL has not taken yet
    std::string held;        ///< the same, from earlier
    std::string out;
    std::size_t out_sent = 0;
    std::string host;
    std::string failure;
    std::optional<bool> plain_http;  ///< the peer does not encrypt; unset before its first bytes
    TlsSession::Status status = TlsSession::Status::handshaking;
    std::shared_ptr<const PeerCertificate> peer;

    /// Acts on what an operation of OpenSSL returned.
    void settle(int outcome) {
        int error = SSL_get_error(ssl.get(), outcome);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
        if (error == SSL_ERROR_ZERO_RETURN) {
            status = TlsSession::Status::closed;
            return;
        }
        status = TlsSession::Status::failed;
        failure = last_failure();
        if (plain_http == true && SSL_is_server(ssl.get()) == 1) out = plain_http_answer();
    }
};

namespace {

TlsSessionState& session_of(const SSL* ssl) {
    return *static_cast<TlsSessionState*>(SSL_get_app_data(ssl));
}

// The bytes of a session come from and go to its own two texts.

int bio_write(BIO* bio, const char* bytes, int size) {
    auto* session = static_cast<TlsSessionState*>(BIO_get_data(bio));
    session->out.append(bytes, static_cast<std::size_t>(size));
    return size;
}

int bio_read(BIO* bio, char* into, int size) {
    auto* session = static_cast<TlsSessionState*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    std::string_view from = session->held.empty() ? session->fresh : session->held;
    if (from.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    auto count = std::min(from.size(), static_cast<std::size_t>(size));
    std::memcpy(into, from.data(), count);
    if (session->held.empty()) {
        session->fresh.remove_prefix(count);
    } else {
        session->held.erase(0, count);
        if (session->held.empty()) std::string().swap(session->held);
    }
    return static_cast<int>(count);
}

long bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* make_bio(TlsSessionState& session) {
    static BIO_METHOD* method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session");
        BIO_meth_set_write(made, &bio_write);
        BIO_meth_set_read(made, &bio_read);
        BIO_meth_set_ctrl(made, &bio_control);
        return made;
    }();
    BIO* bio = BIO_new(method);
    BIO_set_data(bio, &session);
    BIO_set_init(bio, 1);
    return bio;
}

int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
    const std::string& own = session_of(ssl).shared->alpn;
    unsigned char* at = nullptr;
    int found = SSL_select_next_proto(&at, size, reinterpret_cast<const unsigned char*>(own.data()),
                                      static_cast<unsigned>(own.size()), offered, offered_size);
    *chosen = at;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int choose_certificate(SSL* ssl, int*, void*) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!name) return SSL_TLSEXT_ERR_NOACK;
    SSL_CTX* context = session_of(ssl).certificates->choose(to_lower(name));
    if (context != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, context);
    return SSL_TLSEXT_ERR_OK;
}

bool start_ticket(const TicketKeys::Key& key, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, bool seal) {
    auto* bytes = reinterpret_cast<const unsigned char*>(key.cipher.data());
    int ready = seal ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, bytes, iv)
                     : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, bytes, iv);
    std::string mac_key = key.mac, digest = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_end()};
    return ready == 1 && EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
               EVP_MAC_CTX* mac, int seal) {
    TicketKeys& tickets = session_of(ssl).shared->tickets;
    if (seal != 0) {
        TicketKeys::Key key = tickets.current();
        key.name.copy(reinterpret_cast<char*>(name), 16);
        if (RAND_bytes(iv, 16) != 1) return -1;
        return start_ticket(key, iv, cipher, mac, true) ? 1 : -1;
    }
    auto found = tickets.find({reinterpret_cast<const char*>(name), 16});
    if (!found) return 0;  // a full handshake instead
    if (!start_ticket(found->key, iv, cipher, mac, false)) return -1;
    return found->current ? 1 : 2;  // 2: the client gets a fresh ticket
}

void set_policy(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

void prepare_server(SSL_CTX* context) {
    set_policy(context);
    constexpr std::string_view scope = "bennu";
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(scope.data()),
                                   static_cast<unsigned>(scope.size()));
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &ticket_key);
    SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
    SSL_CTX_set_tlsext_servername_callback(context, &choose_certificate);
}

Result<std::shared_ptr<const CertificateSet>> load(const TlsOptions& options) {
    auto set = CertificateSet::load(options.certificates, &prepare_server);
    if (!set) return std::move(set).error();
    auto authorities = ClientAuthorities::load(options);
    if (!authorities) return std::move(authorities).error();
    set->each([&](SSL_CTX* context) { authorities->ask_on(context); });
    return std::make_shared<const CertificateSet>(*std::move(set));
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<TlsContextState> state) : state_(std::move(state)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::server(TlsOptions options) {
    auto certificates = load(options);
    if (!certificates) return std::move(certificates).error();
    auto state = std::make_unique<TlsContextState>(std::move(options));
    state->alpn = alpn_list(state->options.protocols);
    state->certificates = *std::move(certificates);
    return std::shared_ptr<TlsContext>(new TlsContext(std::move(state)));
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(TlsClientOptions options) {
    auto state = std::make_unique<TlsContextState>(TlsOptions{});
    state->alpn = alpn_list(options.protocols);
    state->client.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = state->client.get();
    set_policy(context);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (options.authorities.empty()) {
        SSL_CTX_set_default_verify_paths(context);
    } else {
        std::vector<CertificatePtr> trusted = read_certificates(options.authorities);
        if (trusted.empty()) return bad_certificate("holds no certificate", "authorities");
        for (const CertificatePtr& one : trusted)
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());
    }
    const TlsCertificate& own = options.certificate;
    if (!own.certificate.empty() || !own.certificate_file.empty()) {
        if (Result<> shown = use_certificate(context, own); !shown) return std::move(shown).error();
    }
    return std::shared_ptr<TlsContext>(new TlsContext(std::move(state)));
}

Result<> TlsContext::reload(std::vector<TlsCertificate> certificates) {
    TlsOptions options;
    {
        std::lock_guard lock(state_->mutex);
        options = state_->options;
    }
    if (!certificates.empty()) options.certificates = std::move(certificates);
    auto loaded = load(options);
    if (!loaded) return std::move(loaded).error();
    std::lock_guard lock(state_->mutex);
    state_->options.certificates = std::move(options.certificates);
    state_->certificates = *std::move(loaded);
    return {};
}

std::unique_ptr<TlsSession> TlsContext::accept() {
    auto session = std::make_unique<TlsSessionState>();
    session->context = shared_from_this();
    session->shared = state_.get();
    {
        std::lock_guard lock(state_->mutex);
        session->certificates = state_->certificates;
    }
    session->ssl.reset(SSL_new(session->certificates->first()));
    if (!session->ssl) throw std::bad_alloc();
    SSL_set_app_data(session->ssl.get(), session.get());
    BIO* bio = make_bio(*session);
    SSL_set_bio(session->ssl.get(), bio, bio);
    SSL_set_accept_state(session->ssl.get());
    return std::unique_ptr<TlsSession>(new TlsSession(std::move(session)));
}

std::unique_ptr<TlsSession> TlsContext::connect(const std::string& host) {
    auto session = std::make_unique<TlsSessionState>();
    session->context = shared_from_this();
    session->shared = state_.get();
    session->host = host;
    session->ssl.reset(SSL_new(state_->client.get()));
    SSL* ssl = session->ssl.get();
    SSL_set_app_data(ssl, session.get());
    BIO* bio = make_bio(*session);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_tlsext_host_name(ssl, host.c_str());
    SSL_set1_host(ssl, host.c_str());
    if (!state_->alpn.empty()) {
        SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(state_->alpn.data()),
                            static_cast<unsigned>(state_->alpn.size()));
    }
    {
        std::lock_guard lock(state_->mutex);
        auto known = state_->sessions.find(host);
        if (known != state_->sessions.end()) SSL_set_session(ssl, known->second.get());
    }
    SSL_set_connect_state(ssl);
    return std::unique_ptr<TlsSession>(new TlsSession(std::move(session)));
}

TlsSession::TlsSession(std::unique_ptr<TlsSessionState> state) : state_(std::move(state)) {}

TlsSession::~TlsSession() {
    // A client keeps its host's latest ticket: a copy, since OpenSSL spoils the session of a
    // connection that was lost.
    TlsSessionState& own = *state_;
    SSL_SESSION* session = SSL_get0_session(own.ssl.get());
    if (own.host.empty() || !session || SSL_SESSION_is_resumable(session) != 1) return;
    std::lock_guard lock(own.shared->mutex);
    if (own.shared->sessions.size() > 1000) own.shared->sessions.clear();
    own.shared->sessions[own.host].reset(SSL_SESSION_dup(session));
}

void TlsSession::receive(std::span<const char> ciphertext) {
    TlsSessionState& own = *state_;
    own.fresh = {ciphertext.data(), ciphertext.size()};
    if (!own.plain_http && !own.fresh.empty()) own.plain_http = begins_like_plain_http(own.fresh);
}

std::size_t TlsSession::read(std::span<char> into) {
    TlsSessionState& own = *state_;
    ERR_clear_error();
    if (own.status == Status::handshaking) {
        int done = SSL_do_handshake(own.ssl.get());
        if (done == 1) {
            own.status = Status::open;
            if (SSL_is_server(own.ssl.get()) == 1) own.peer = peer_certificate_of(own.ssl.get());
        } else {
            own.settle(done);
        }
    }
    std::size_t filled = 0;
    while (own.status == Status::open && filled < into.size()) {
        int size = static_cast<int>(std::min<std::size_t>(into.size() - filled, 1 << 30));
        int count = SSL_read(own.ssl.get(), into.data() + filled, size);
        if (count <= 0) {
            own.settle(count);
            break;
        }
        filled += static_cast<std::size_t>(count);
    }
    // The caller's buffer is gone by the next call.
    own.held.append(own.fresh);
    own.fresh = {};
    return filled;
}

bool TlsSession::write(std::string_view plaintext) {
    TlsSessionState& own = *state_;
    if (own.status != Status::open && own.status != Status::closed) return false;
    ERR_clear_error();
    while (!plaintext.empty()) {
        int size = static_cast<int>(std::min<std::size_t>(plaintext.size(), 1 << 30));
        int count = SSL_write(own.ssl.get(), plaintext.data(), size);
        if (count <= 0) {
            own.settle(count);
            return false;
        }
        plaintext.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void TlsSession::close() {
    if (state_->status == Status::open || state_->status == Status::closed)
        SSL_shutdown(state_->ssl.get());
    ERR_clear_error();
}

std::string_view TlsSession::pending() const {
    return std::string_view(state_->out).substr(state_->out_sent);
}

void TlsSession::sent(std::size_t bytes) {
    state_->out_sent += bytes;
    if (state_->out_sent < state_->out.size()) return;
    std::string().swap(state_->out);
    state_->out_sent = 0;
}

TlsSession::Status TlsSession::status() const {
    return state_->status;
}

std::string_view TlsSession::protocol() const {
    const unsigned char* text = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(state_->ssl.get(), &text, &size);
    return {reinterpret_cast<const char*>(text), size};
}

std::string_view TlsSession::server_name() const {
    const char* name = SSL_get_servername(state_->ssl.get(), TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
}

bool TlsSession::resumed() const {
    return SSL_session_reused(state_->ssl.get()) == 1;
}

std::string_view TlsSession::version() const {
    return SSL_get_version(state_->ssl.get());
}

std::string_view TlsSession::cipher() const {
    const char* name = SSL_get_cipher_name(state_->ssl.get());
    return name ? name : "";
}

const std::shared_ptr<const PeerCertificate>& TlsSession::peer_certificate() const {
    return state_->peer;
}

const std::string& TlsSession::failure() const {
    return state_->failure;
}

}  // namespace bennu::net
