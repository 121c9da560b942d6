#pragma once

#include <memory>
#include <vector>

#include "bennu/pubsub/adapter.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/simulation/link.hpp"

namespace bennu::pubsub {

struct SimAdapterOptions {
    std::uint8_t nodes = 2;  ///< each gets one shard at least
    SimLinkOptions link = {};
};

/// For tests in the simulator: several nodes in one simulation. The shards are divided among them;
/// what pub/sub, durable topics, presence and channels do on a shard they do as the node that has
/// it, and other nodes hear of it over links that lose, delay, double and reorder messages as the
/// link_… faults of `SimOptions` say, as a datagram network or a broker does. Without faults and
/// cuts everything arrives once, in the order of each node.
///
///     auto nodes = co_await pubsub::SimAdapter::start();      // with 2 shards: one each
///     auto there = async([] { return serve(); }, {.shard = nodes->first_shard(1)});
///     nodes->isolate(1);
///
/// Only what goes through pub/sub is divided: names of processes, placement and sockets are those
/// of the whole simulation (an endpoint's clients land on any node, as behind a load balancer), and
/// so are declarations (`make_durable`, `presence::fetch_with`). Trackers of presence run on each
/// node once `presence::child_trackers` is started anywhere. What a node keeps in memory does not
/// end before the simulation.
///
/// Nodes are counted from 0. All functions run in the simulation.
class SimAdapter final : public PubSubAdapter {
  public:
    /// Divides the shards and becomes the adapter of all of them; done when it yields. Before
    /// anything is published, subscribed or tracked. A fault of the caller outside of a simulation,
    /// or with more nodes than shards.
    static Task<std::shared_ptr<SimAdapter>> start(SimAdapterOptions options = {});

    std::uint8_t nodes() const { return options_.nodes; }
    /// Of the shards of a node, which stand side by side.
    std::uint8_t first_shard(std::uint8_t node) const;
    std::uint8_t node_of(std::uint8_t shard) const;

    /// Nothing passes from one to the other until `heal`.
    void cut(std::uint8_t from, std::uint8_t to);
    /// Nor between this one and any other.
    void isolate(std::uint8_t node);
    /// Everything passes again. As an adapter that was cut off, tells each node for which something
    /// was sent meanwhile, and only those, that it may be missing (`lost`, `gap_topic`). What
    /// link_… faults take is told to nobody.
    void heal();
    /// Tells a node that it may have missed something.
    void tell_lost(std::uint8_t node);
    /// Tells all others that a node is gone, as an adapter does whose connections end with nodes.
    void tell_gone(std::uint8_t node);

    // The seam; what a shard sends is its node's.
    void publish(const Broadcast& broadcast) override;
    void publish_to(std::uint64_t node, const Broadcast& broadcast) override;
    std::uint64_t node() const override;
    void send(std::uint64_t node, std::string message) override;

  private:
    struct Way {
        SimLink link;
        bool cut = false;
    };
    explicit SimAdapter(SimAdapterOptions options);
    void carry(std::uint64_t node, const std::string& bytes);
    Way& way(std::uint8_t from, std::uint8_t to);

    SimAdapterOptions options_;
    std::uint8_t shards_;
    std::vector<Way> ways_;     ///< from each node to each
    std::vector<bool> missed_;  ///< by node
};

}  // namespace bennu::pubsub
