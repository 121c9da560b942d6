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
    explicit RawClient(SocketAddress address) : address_(std::move(address)) {}

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

    Task<Result<>> init();
    void handle(Send message);
    void handle(ReadUntil message, From<std::string> from);
    void handle(ReadAll message, From<std::string> from);
    void handle(Disconnect) { stream_.close(); }
    void handle_io(std::uint8_t tag, Readiness ready);

  private:
    void answer();

    SocketAddress address_;
    TcpStream stream_{-1};
    std::string received_;
    std::string until_;
    bool to_the_end_ = false;
    bool closed_ = false;
    From<std::string> waiting_;
};

/// Connects, sends, and yields everything up to the server's close.
Task<std::string> exchange(SocketAddress address, std::string bytes);

}  // namespace bennu::net
