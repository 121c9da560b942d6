#pragma once

#include <memory>

#include "bennu/net/http_connection.hpp"

namespace bennu::net {

/// Accepts on one shard, and looks after the connections of that shard: counts them, lets the
/// overdue ones know, and ends them all when it is stopped. Whoever it accepts while its shard has
/// more than its share goes to the acceptor with the fewest (`ConnectionCounts::place`).
class Acceptor : public Server {
  public:
    struct Count {
        using Reply = std::size_t;
    };
    struct Sweep {};
    /// Who accepts for the same server, by shard. Comes once they have all started; nobody is
    /// accepted before, so that each connection can go to the shard that should have it.
    struct Peers {
        std::vector<Pid> acceptors;
    };
    /// There may be room again.
    struct Rested {};

    Acceptor(SocketHandle listener, std::shared_ptr<const HttpServing> serving);
    ~Acceptor();

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    std::size_t handle(Count) { return table_->size(); }
    void handle(Sweep);
    void handle(Peers message);
    void handle(Rested);
    void handle_io(std::uint8_t tag, Readiness ready);

  private:
    class Accepted;

    /// Accepts a share of those who wait, since then as near as can be known; false when nobody
    /// does any more.
    bool accept(Instant since);
    void refuse(SocketHandle socket);
    /// On the shard that it was placed on.
    void admit(Accepted accepted);
    /// That is another one, whose acceptor is `peer`.
    static void hand_over(Accepted accepted, Pid peer);
    /// Leaves who comes in the socket's queue until there is room.
    void rest();
    void stop_listening();
    void out_of_descriptors();

    SocketHandle listener_;
    bool resting_ = false;
    int spare_ = -1;  ///< given up for a moment to turn a client away when descriptors have run out
    std::shared_ptr<const HttpServing> serving_;
    std::shared_ptr<ConnectionTable> table_;
    std::vector<Pid> peers_;  ///< empty: accepts nobody yet
};

/// Starts an acceptor on the given shard that ends when the running process does.
Task<Result<Pid>> start_acceptor(std::uint8_t shard, SocketHandle listener,
                                 std::shared_ptr<const HttpServing> serving);

}  // namespace bennu::net
