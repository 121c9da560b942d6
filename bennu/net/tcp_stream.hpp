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
          hung_up_(other.hung_up_),
          write_shut_(other.write_shut_),
          readable_(other.readable_),
          out_(std::move(other.out_)),
          tls_(std::move(other.tls_)) {}
    TcpStream& operator=(TcpStream&&) = delete;
    ~TcpStream() { close(); }

    /// Reads once into this shard's scratch buffer. `bytes` is valid until the next read on the
    /// shard. A read that fills less than the buffer has drained the socket: its next bytes raise
    /// readiness again. Not so once the peer has hung up: the end itself is still to be read then.
    struct Read {
        enum class Kind : std::uint8_t { data, would_block, closed };
        Kind kind = Kind::would_block;
        std::span<char> bytes;
        bool drained = true;
    };
    Read read() {
        Read got = tls_ ? read_secure() : read_plain();
        readable_ = got.kind == Read::Kind::data && !got.drained;
        return got;
    }
    /// What the kernel has announced: once the peer has hung up, nothing more comes after what is
    /// there.
    void note(Readiness ready) {
        hung_up_ = hung_up_ || ready.hangup;
        readable_ = readable_ || ready.readable || ready.hangup;
    }
    bool hung_up() const { return hung_up_; }
    /// There is more to read, or may be.
    bool readable() const { return readable_; }

    /// What is read of one connection in a turn, before others get theirs.
    static constexpr std::size_t read_per_turn = 256 * 1024;
    /// How that went. `portion_read`: there may be more, which waits for the owner's next step:
    /// it calls `go_on_next_turn`. `stopped`: `take` wanted no more of it.
    enum class Turn : std::uint8_t { drained, portion_read, closed, stopped };
    /// Reads as long as there is something, but no more than a portion, and gives `take` the bytes;
    /// when that returns false, the stream may be gone.
    template <typename Take>
    Turn read_turn(Take&& take) {
        for (std::size_t taken = 0; readable_;) {
            if (taken >= read_per_turn) return Turn::portion_read;
            const Read got = read();
            if (got.kind == Read::Kind::closed) return Turn::closed;
            if (got.kind != Read::Kind::data) continue;
            taken += got.bytes.size();
            if (!take(got.bytes)) return Turn::stopped;
        }
        return Turn::drained;
    }
    /// The socket's readiness is announced anew in the shard's next turn, when others have had
    /// theirs. (A message to the own process would be handled within this one, and a full mailbox
    /// would lose it.)
    void go_on_next_turn() { (void)watch(); }

    /// Queues bytes; `flush` sends them.
    void write(std::string_view bytes) { out().append(bytes); }
    std::string& out() {
        if (out_.capacity() == std::string().capacity() && out_.empty()) lend_buffer();
        return out_;
    }
    /// Sends what is queued; what the socket does not take stays queued, and so does everything
    /// while a TLS handshake is going on. False when the connection is lost.
    bool flush(More more = More::none);
    /// Sends what is queued, then as much of `text` as the socket takes, straight from its own
    /// memory: `taken` bytes of it. False when the connection is lost.
    bool send_through(std::string_view text, std::size_t& taken);
    std::size_t pending() const { return out_.size() + (tls_ ? tls_->pending().size() : 0); }

    /// From now on everything is encrypted. `received` has come from the socket already.
    void secure_with(std::unique_ptr<TlsSession> session, std::string_view received = {});
    bool secure() const { return tls_ != nullptr; }
    /// Null on a plain connection.
    const TlsSession* tls() const { return tls_.get(); }
    bool handshaking() const { return tls_ && tls_->status() == TlsSession::Status::handshaking; }

    /// No more is written. Once: after the first time it does nothing.
    void shutdown_write();
    void close() {
        if (socket_ >= 0) reactor().close(std::exchange(socket_, -1));
    }
    void adopt(SocketHandle socket) {
        close();
        socket_ = socket;
        hung_up_ = write_shut_ = readable_ = false;
    }
    Result<> watch() { return watch_io(socket_); }
    SocketHandle socket() const { return socket_; }

  private:
    Read read_plain();
    Read read_secure();
    bool flush_plain(More more, bool& blocked);
    bool flush_secure(bool& blocked);
    /// A buffer that another stream of this shard is through with, if there is one.
    void lend_buffer();
    void drop_queued(std::size_t sent);
    /// Sends bytes until there are none or the socket takes no more; false when it is lost.
    bool send(std::string_view bytes, std::size_t& done, bool& blocked, More more = More::none);
    bool encrypt(std::string_view text, std::size_t& done, bool& blocked);
    bool send_ciphertext(bool& blocked);

    SocketHandle socket_;
    bool more_plaintext_ = false;  ///< the last read filled the buffer
    bool hung_up_ = false;
    bool write_shut_ = false;
    bool readable_ = false;
    std::string out_;
    std::unique_ptr<TlsSession> tls_;
};

}  // namespace bennu::net
