#pragma once

#include <memory>

#include "bennu/net/http_connection.hpp"

namespace bennu::net {

/// Accepts on one shard, and looks after the connections that it accepted: counts them, lets the
/// overdue ones know, and ends them all when it is stopped.
class Acceptor : public Server {
  public:
    struct Count {
        using Reply = std::size_t;
    };
    struct Sweep {};

    Acceptor(SocketHandle listener, std::shared_ptr<const HttpServing> serving);
    ~Acceptor();

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    std::size_t handle(Count) { return table_->size(); }
    void handle(Sweep);
    void handle_io(std::uint8_t tag, Readiness ready);

  private:
    /// Accepts up to `most`; false when nobody waits any more.
    bool accept(int most);
    void stop_listening();
    void out_of_descriptors();

    SocketHandle listener_;
    int spare_ = -1;  ///< given up for a moment to turn a client away when descriptors have run out
    std::shared_ptr<const HttpServing> serving_;
    std::shared_ptr<ConnectionTable> table_;
};

/// Starts an acceptor on the given shard that ends when the running process does.
Task<Result<Pid>> start_acceptor(std::uint8_t shard, SocketHandle listener,
                                 std::shared_ptr<const HttpServing> serving);

}  // namespace bennu::net
