#pragma once

#include <string>
#include <string_view>

#include "bennu/net/tcp_stream.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// A client for tests that sends exactly the bytes it is told to, over whatever network the runtime
/// has.
class RawClient : public Server {
  public:
    /// With `tls`, what is sent is encrypted, but for `plain`, which goes in front.
    explicit RawClient(SocketAddress address, std::shared_ptr<TlsContext> tls = nullptr,
                       std::string host = "localhost", std::string plain = {})
        : address_(std::move(address)),
          tls_(std::move(tls)),
          host_(std::move(host)),
          plain_(std::move(plain)) {}

    struct Send {
        std::string bytes;
    };
    /// Answers with everything received so far, once it contains `text` (or the connection ended).
    struct ReadUntil {
        using Reply = std::string;
        std::string text;
    };
    /// Answers with everything received, once the server has closed.
    struct ReadAll {
        using Reply = std::string;
    };
    struct Disconnect {};
    /// What the TLS handshake agreed on.
    struct Agreed {
        std::string version, protocol, failure;
        bool open = false;
        bool resumed = false;
    };
    struct GetAgreed {
        using Reply = Agreed;
    };

    Task<Result<>> init();
    void handle(Send message);
    void handle(ReadUntil message, From<std::string> from);
    void handle(ReadAll message, From<std::string> from);
    Agreed handle(GetAgreed);
    void handle(Disconnect) { stream_.close(); }
    void handle_io(std::uint8_t tag, Readiness ready);

  private:
    void answer();

    SocketAddress address_;
    std::shared_ptr<TlsContext> tls_;
    std::string host_;
    std::string plain_;
    std::string unsent_;  ///< waits for what goes in front
    TcpStream stream_{-1};
    std::string received_;
    std::string until_;
    bool to_the_end_ = false;
    bool closed_ = false;
    From<std::string> waiting_;
};

/// Connects, sends, and yields everything up to the server's close.
Task<std::string> exchange(SocketAddress address, std::string bytes,
                           std::shared_ptr<TlsContext> tls = nullptr,
                           std::string host = "localhost");

/// A certificate that signs itself, valid for the names for ten years, in memory.
TlsCertificate make_test_certificate(std::vector<std::string> names);

}  // namespace bennu::net
