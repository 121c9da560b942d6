#include "bennu/pubsub/sim_adapter.hpp"

#include <stdexcept>

#include "bennu/pubsub/broadcast_wire.hpp"
#include "bennu/pubsub/incoming.hpp"
#include "bennu/pubsub/node_shards.hpp"
#include "bennu/pubsub/presence_tracker.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::pubsub {

namespace {

/// What nodes call each other; 0 is nobody.
std::uint64_t name_of(std::uint8_t node) {
    return std::uint64_t{node} + 1;
}

}  // namespace

SimAdapter::SimAdapter(SimAdapterOptions options)
    : options_(options), shards_(shard_count()), missed_(options.nodes) {
    if (!simulated_network()) throw std::logic_error("a SimAdapter outside of a simulation");
    if (options.nodes == 0 || options.nodes > shards_)
        throw std::logic_error("each node of a simulation needs a shard");
    ways_.assign(std::size_t{options.nodes} * options.nodes, Way{.link = SimLink(options.link)});
}

Task<std::shared_ptr<SimAdapter>> SimAdapter::start(SimAdapterOptions options) {
    std::shared_ptr<SimAdapter> made(new SimAdapter(options));
    use_adapter(made);
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        const std::uint8_t node = made->node_of(shard), first = made->first_shard(node);
        const auto end = node + 1 < options.nodes
                             ? made->first_shard(static_cast<std::uint8_t>(node + 1))
                             : made->shards_;
        const detail::NodeShards own{first, static_cast<std::uint8_t>(end - first)};
        // Behind what `use_adapter` sent there.
        auto divided = co_await ask_shard<bool>(shard, [own] {
            shard_local<detail::NodeShards>() = own;
            return true;
        });
        if (!divided) throw std::runtime_error("a shard does not answer");
    }
    co_return made;
}

std::uint8_t SimAdapter::first_shard(std::uint8_t node) const {
    return static_cast<std::uint8_t>((std::size_t{node} * shards_ + options_.nodes - 1) /
                                     options_.nodes);
}

std::uint8_t SimAdapter::node_of(std::uint8_t shard) const {
    return static_cast<std::uint8_t>(std::size_t{shard} * options_.nodes / shards_);
}

SimAdapter::Way& SimAdapter::way(std::uint8_t from, std::uint8_t to) {
    return ways_.at(std::size_t{from} * options_.nodes + to);
}

void SimAdapter::cut(std::uint8_t from, std::uint8_t to) {
    way(from, to).cut = true;
}

void SimAdapter::isolate(std::uint8_t node) {
    for (std::uint8_t other = 0; other < nodes(); ++other) {
        cut(node, other);
        cut(other, node);
    }
}

void SimAdapter::heal() {
    for (Way& way : ways_) way.cut = false;
    for (std::uint8_t node = 0; node < nodes(); ++node) {
        if (missed_[node]) tell_lost(node);
    }
}

void SimAdapter::tell_lost(std::uint8_t node) {
    missed_[node] = false;
    post(first_shard(node), &detail::tell_gap);
}

void SimAdapter::tell_gone(std::uint8_t node) {
    for (std::uint8_t other = 0; other < nodes(); ++other) {
        if (other == node) continue;
        post(first_shard(other), [node] { presence::node_gone(name_of(node)); });
    }
}

void SimAdapter::publish(const Broadcast& broadcast) {
    carry(0, encode_broadcast(broadcast));
}

void SimAdapter::publish_to(std::uint64_t node, const Broadcast& broadcast) {
    carry(node, encode_broadcast(broadcast));
}

std::uint64_t SimAdapter::node() const {
    return name_of(node_of(shard_index()));
}

void SimAdapter::send(std::uint64_t node, std::string message) {
    carry(node, message);
}

/// From the node of this shard to one, or (0) to every other.
void SimAdapter::carry(std::uint64_t node, const std::string& bytes) {
    const std::uint8_t from = node_of(shard_index());
    for (std::uint8_t to = 0; to < nodes(); ++to) {
        if (to == from || (node != 0 && node != name_of(to))) continue;
        if (way(from, to).cut) {
            missed_[to] = true;
            continue;
        }
        way(from, to).link.carry(first_shard(to),
                                 [from, bytes] { detail::take_bytes(name_of(from), bytes); });
    }
}

}  // namespace bennu::pubsub
