#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bennu/base/time.hpp"
#include "bennu/runtime/reactor/reactor.hpp"

namespace bennu {
class SimNetwork;
}

namespace bennu::net {

/// The shard computes for so long, of a simulation's time: nothing else runs on it meanwhile, and
/// bytes arrive.
void compute(Duration time);

/// Clients outside of the shards of a simulation, each on a connection of its own: they ask when
/// their time has come. One that is a process of a shard that computes asks when that has time.
/// Made by a process, outlives the simulation's time in which its clients ask.
class OutsideClients {
  public:
    explicit OutsideClients(SocketAddress address);
    ~OutsideClients();
    OutsideClients(const OutsideClients&) = delete;
    OutsideClients& operator=(const OutsideClients&) = delete;

    /// After so long one more connects, and sends this a tenth of a millisecond later.
    void ask(Duration after, std::string bytes);
    /// What each was answered until now, up to a few thousand bytes, in the order of `ask`.
    std::vector<std::string> answers();

  private:
    SimNetwork& network_;
    std::unique_ptr<Reactor> reactor_;
    SocketAddress address_;
    std::vector<SocketHandle> sockets_;
};

}  // namespace bennu::net
