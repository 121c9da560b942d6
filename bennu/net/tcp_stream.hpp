#pragma once

#include <string>
#include <string_view>

#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// A connected socket with what is still to be written. Idle it owns no buffer. Belongs to one
/// process.
class TcpStream {
  public:
    explicit TcpStream(SocketHandle socket) : socket_(socket) {}
    TcpStream(TcpStream&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), out_(std::move(other.out_)) {}
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
    Read read();

    /// Queues bytes; `flush` sends them.
    void write(std::string_view bytes) { out_.append(bytes); }
    std::string& out() { return out_; }
    /// Sends what is queued, then `tail` straight from its own memory; what the socket does not
    /// take stays queued. False when the connection is lost.
    bool flush(std::string_view tail = {});
    std::size_t pending() const { return out_.size(); }

    void shutdown_write() {
        if (socket_ >= 0) reactor().shutdown_write(socket_);
    }
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
    SocketHandle socket_;
    std::string out_;
};

}  // namespace bennu::net
