#pragma once

#include <functional>

#include "bennu/runtime/process.hpp"

namespace bennu {

struct SimLinkOptions {
    Duration min_latency = std::chrono::microseconds(50);
    Duration max_latency = std::chrono::milliseconds(2);
};

/// For tests in the simulator: a way between processes that may lose, delay, duplicate and reorder
/// messages (the link_… faults), as a datagram network or a broker does. What shards send to each
/// other never gets lost; what stands for another machine in a test goes over one of these.
/// Without faults messages arrive in order.
class SimLink {
  public:
    explicit SimLink(SimLinkOptions options = {}) : options_(options) {}

    /// As `bennu::cast`, over the link.
    template <typename S, typename M>
    void cast(Ref<S> to, M message) {
        carry(to.pid().shard(), [to, message = std::move(message)] { bennu::cast(to, message); });
    }
    /// Runs `deliver` on that shard, outside of any process: never, once, or twice. A fault of the
    /// caller outside of a simulation.
    void carry(std::uint8_t shard, std::function<void()> deliver);

    /// Loses everything until `heal`.
    void cut() { is_cut_ = true; }
    void heal() { is_cut_ = false; }

  private:
    SimLinkOptions options_;
    Instant last_arrival_;
    bool is_cut_ = false;
};

}  // namespace bennu
