#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"
#include "bennu/base/secret.hpp"
#include "bennu/base/time.hpp"
#include "bennu/net/peer_certificate.hpp"

namespace bennu::net {

/// A certificate with the chain above it, and its key: PEM, in files or in memory.
struct TlsCertificate {
    std::string certificate_file = {};
    std::string key_file = {};
    std::string certificate = {};  ///< instead of the file
    Secret key = {};               ///< instead of the file
};

/// Whether clients are asked for a certificate of their own (mutual TLS).
enum class ClientCertificates : std::uint8_t {
    ignored,
    optional,  ///< a client without one is served; one with a wrong one is not
    required,
};

struct TlsOptions {
    /// The client's server name (SNI) chooses by the names in them (`*.example.com` stands for one
    /// label); the first serves all other names.
    std::vector<TlsCertificate> certificates = {};
    /// Offered by ALPN, best first. A client without ALPN gets HTTP/1.1; one that wants only other
    /// protocols is refused.
    std::vector<std::string> protocols = {"h2", "http/1.1"};
    /// Session tickets are sealed with keys that follow from it and the time, so that every process
    /// with the same secret resumes the others' sessions. Empty: a random one.
    Secret ticket_secret = {};
    Duration ticket_rotation = std::chrono::hours(8);
    Duration handshake_timeout = std::chrono::seconds(5);
    /// At once, on each shard; more connections are closed before they cost anything.
    std::uint32_t max_handshakes = 512;
    ClientCertificates client_certificates = ClientCertificates::ignored;
    /// PEM of the authorities whose certificates clients may show. Revocation lists in it are
    /// obeyed; then each authority needs one. A session is resumed, for at most two hours, without
    /// being checked again, but not once the authorities have changed.
    std::string client_authorities = {};
    std::string client_authorities_file = {};  ///< instead of the text
};

struct TlsClientOptions {
    /// PEM of the certificates to trust; empty: those of the system.
    std::string authorities = {};
    std::vector<std::string> protocols = {};
    /// What the client shows of itself when it is asked; empty: nothing.
    TlsCertificate certificate = {};
};

class TlsSession;
struct TlsContextState;
struct TlsSessionState;

/// What the TLS connections of one listener (or one client) share: certificates, ticket keys,
/// policy. TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers only; no renegotiation,
/// no compression, no early data. Any thread.
class TlsContext : public std::enable_shared_from_this<TlsContext> {
  public:
    /// Reads the files (blocks). Errors name the file that is missing, malformed or does not match.
    static Result<std::shared_ptr<TlsContext>> server(TlsOptions options);
    static Result<std::shared_ptr<TlsContext>> client(TlsClientOptions options);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// New connections get these certificates (none given: the same files, read again), and the
    /// file of the clients' authorities is read again; those that are open keep theirs. On an error
    /// nothing changes. Blocks.
    Result<> reload(std::vector<TlsCertificate> certificates = {});

    /// The server's side of a connection.
    std::unique_ptr<TlsSession> accept();
    /// The client's side; the certificate must be valid for `host`. A session of the same host is
    /// resumed.
    std::unique_ptr<TlsSession> connect(const std::string& host);

  private:
    explicit TlsContext(std::unique_ptr<TlsContextState> state);
    std::unique_ptr<TlsContextState> state_;
};

/// One TLS connection, between bytes and bytes: it knows no socket. Belongs to one process. Idle it
/// holds no buffer.
class TlsSession {
  public:
    enum class Status : std::uint8_t {
        handshaking,
        open,
        closed,  ///< the peer said that it sends no more
        failed,  ///< see `failure`; what is `pending` tells the peer why
    };
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// Takes what came from the network. `read` it out before the next call.
    void receive(std::span<const char> ciphertext);
    /// Decrypted bytes; 0: none now, look at `status`. Goes on with the handshake.
    std::size_t read(std::span<char> into);
    /// Encrypts. False before the handshake is done and after a failure.
    bool write(std::string_view plaintext);
    /// Says that no more will be written.
    void close();

    /// What is to be sent to the network, and how much of it was.
    std::string_view pending() const;
    void sent(std::size_t bytes);

    Status status() const;
    /// Valid once open: the protocol of ALPN, or empty; the name that the client asked for.
    std::string_view protocol() const;
    std::string_view server_name() const;
    bool resumed() const;
    /// `TLSv1.3`.
    std::string_view version() const;
    std::string_view cipher() const;
    const std::string& failure() const;
    /// What the client has shown; null: nothing. Once the session is open.
    const std::shared_ptr<const PeerCertificate>& peer_certificate() const;

  private:
    friend class TlsContext;
    explicit TlsSession(std::unique_ptr<TlsSessionState> state);
    std::unique_ptr<TlsSessionState> state_;
};

}  // namespace bennu::net
