#pragma once

#include <string>

#include "bennu/base/time.hpp"
#include "bennu/runtime/reactor/reactor.hpp"

namespace bennu {

struct NodePage;
namespace detail {
class Shard;
}

/// The meeting point of the nodes of one launcher: a process that passes messages between them.
struct HubAddress {
    SocketAddress address{.host = {}};
    std::string token;  ///< to be shown there first; others on the machine do not know it
    explicit operator bool() const { return !address.host.empty(); }
};

/// What a node gets from its launcher.
struct NodeEnvironment {
    int listener = -1;     ///< the listening socket, open and bound
    unsigned worker = 0;   ///< which of the nodes that serve side by side this one is
    unsigned workers = 1;  ///< how many there are
    HubAddress hub = {};   ///< empty with one worker
};

/// For nodes: tells the launcher that they serve. Does nothing without one.
void notify_ready();

/// Whether the node that this one replaces is still finishing its requests. What must not run twice
/// at once (background work that was interrupted) waits until it is gone. False without a launcher.
bool predecessor_running();

/// Whether another node serves by now, so that this one, asked to stop, need not wait for load
/// balancers to look elsewhere. False without a launcher.
bool replaced();

namespace detail {

/// What this process shares with its launcher; nullptr without one.
NodePage* node_page();

/// While alive, the launcher can see whether the shard that runs on this thread gets on.
class Heartbeat {
  public:
    explicit Heartbeat(Shard& shard);
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

  private:
    Shard& shard_;
};

/// At the beginning of a node: takes over what the launcher handed down.
NodeEnvironment enter_node();

}  // namespace detail
}  // namespace bennu
