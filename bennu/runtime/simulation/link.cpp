#include "bennu/runtime/simulation/link.hpp"

#include "bennu/runtime/simulation/world.hpp"

namespace bennu {

namespace {

void deliver_after(detail::SimWorld& world, Duration delay, std::uint8_t shard,
                   std::function<void()> deliver) {
    world.network().after(delay, [shard, deliver = std::move(deliver)] {
        Runtime::current()->shard(shard).inject([deliver] { deliver(); });
    });
}

}  // namespace

void SimLink::carry(std::uint8_t shard, std::function<void()> deliver) {
    detail::SimWorld* world = detail::SimWorld::current();
    if (!world) throw std::logic_error("a SimLink outside of a simulation");
    if (is_cut_) return;
    detail::MustAllocate beside_the_process;
    SimNetwork& network = world->network();
    auto spread = static_cast<std::uint64_t>(
        std::max<std::int64_t>(1, (options_.max_latency - options_.min_latency).count()));
    Duration latency =
        options_.min_latency + Duration(static_cast<std::int64_t>(network.random().below(spread)));
    auto fault = world->faults().step(FaultStep::link, network.since_start());
    if (fault) world->faults().struck(*fault, "to shard " + std::to_string(shard));
    if (fault && fault->kind == FaultKind::link_drop) return;
    if (fault && fault->kind == FaultKind::link_reorder) {
        // Those behind it do not wait.
        deliver_after(*world, latency + fault->amount, shard, std::move(deliver));
        return;
    }
    if (fault && fault->kind == FaultKind::link_delay) latency += fault->amount;
    last_arrival_ = std::max(last_arrival_, network.now() + latency);
    Duration delay = last_arrival_ - network.now();
    if (fault && fault->kind == FaultKind::link_duplicate)
        deliver_after(*world, delay, shard, deliver);
    deliver_after(*world, delay, shard, std::move(deliver));
}

}  // namespace bennu
