#pragma once

#include <map>
#include <memory>
#include <string>

#include "bennu/net/tcp_stream.hpp"
#include "bennu/pubsub/hub/hub_frame.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::pubsub {

struct HubRelayOptions {
    /// Where to listen, unless a listening socket is given.
    SocketAddress address = {};
    int inherited_listener = -1;
    /// What nodes have to say first; anybody else is turned away.
    std::string token;
    /// How much may wait for a node that does not read. More is dropped, and the node is told
    /// (`gap`) as soon as it reads again.
    std::size_t max_queued = 64 * 1024 * 1024;
};

/// Passes messages between the nodes of one machine: each to all others, or to one. Order is kept
/// between any two nodes. A node that does not read delays nobody else.
class HubRelay : public Server {
  public:
    class Link;
    explicit HubRelay(HubRelayOptions options)
        : shared_(std::make_shared<Shared>(std::move(options))) {}

    struct Address {
        using Reply = SocketAddress;
    };
    /// How many nodes there are.
    struct Nodes {
        using Reply = std::size_t;
    };

    Task<Result<>> init();
    Task<> terminate(ExitReason reason);
    void handle_io(std::uint8_t tag, Readiness ready);
    SocketAddress handle(Address) const { return bound_; }
    std::size_t handle(Nodes) const { return shared_->nodes.size(); }

  private:
    /// What connections need of it; they may outlive it for a moment.
    struct Shared {
        HubRelayOptions options;
        std::map<std::uint64_t, Link*> nodes = {};  ///< those that said hello
    };
    std::shared_ptr<Shared> shared_;
    SocketHandle listener_ = -1;
    SocketAddress bound_;
};

/// The hub of a launcher (`LaunchOptions::hub`): a runtime of one shard that relays until it is
/// told to stop. Returns the exit status.
int run_hub(int listener, std::string token);

}  // namespace bennu::pubsub
