#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bennu/net/tls.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// A connected socket with what is still to be written; with a TLS session everything that is read
/// and written through here is plaintext, and nothing above can tell. Idle it owns no buffer.
/// Belongs to one process.
class TcpStream {
  public:
    explicit TcpStream(SocketHandle socket) : socket_(socket) {}
    TcpStream(TcpStream&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)),
          more_plaintext_(other.more_plaintext_),
          out_(std::move(other.out_)),
          tls_(std::move(other.tls_)) {}
    TcpStream& operator=(TcpStream&&) = delete;
    ~TcpStream() { close(); }

    /// Reads once into this shard's scratch buffer. `bytes` is valid until the next read on the
    /// shard. A read that fills less than the buffer has drained the socket: its next bytes raise
    /// readiness again.
    struct Read {
        enum class Kind : std::uint8_t { data, would_block, closed };
        Kind kind = Kind::would_block;
        std::span<char> bytes;
        bool drained = true;
    };
    Read read() { return tls_ ? read_secure() : read_plain(); }

    /// Queues bytes; `flush` sends them.
    void write(std::string_view bytes) { out_.append(bytes); }
    std::string& out() { return out_; }
    /// Sends what is queued, then `tail` straight from its own memory; what the socket does not
    /// take stays queued, and so does everything while a TLS handshake is going on. False when the
    /// connection is lost.
    bool flush(std::string_view tail = {});
    std::size_t pending() const { return out_.size() + (tls_ ? tls_->pending().size() : 0); }

    /// From now on everything is encrypted. `received` has come from the socket already.
    void secure_with(std::unique_ptr<TlsSession> session, std::string_view received = {});
    bool secure() const { return tls_ != nullptr; }
    /// Null on a plain connection.
    const TlsSession* tls() const { return tls_.get(); }
    bool handshaking() const { return tls_ && tls_->status() == TlsSession::Status::handshaking; }

    /// There is more to read, though the socket may not say so.
    bool buffered() const { return more_plaintext_; }

    void shutdown_write();
    void close() {
        if (socket_ >= 0) reactor().close(std::exchange(socket_, -1));
    }
    void adopt(SocketHandle socket) {
        close();
        socket_ = socket;
    }
    Result<> watch() { return watch_io(socket_); }
    SocketHandle socket() const { return socket_; }

  private:
    Read read_plain();
    Read read_secure();
    bool flush_secure(std::string_view tail);
    /// Sends bytes until there are none or the socket takes no more; false when it is lost.
    bool send(std::string_view bytes, std::size_t& done, bool& blocked);
    bool send_ciphertext(bool& blocked);

    SocketHandle socket_;
    bool more_plaintext_ = false;  ///< the last read filled the buffer
    std::string out_;
    std::unique_ptr<TlsSession> tls_;
};

}  // namespace bennu::net
