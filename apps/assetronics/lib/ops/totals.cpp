#include "apps/assetronics/lib/ops/totals.hpp"

namespace assetronics::ops {

using namespace bennu;

namespace {

std::int64_t number(std::uint64_t count) {
    return static_cast<std::int64_t>(count);
}

}  // namespace

RuntimeTotals totals_of(const RuntimeSnapshot& snapshot) {
    RuntimeTotals totals;
    for (const ShardInfo& shard : snapshot.shards) {
        totals.shards.push_back({shard.index, number(shard.processes), number(shard.queued),
                                 number(shard.suspended), number(shard.timers),
                                 number(shard.messages), number(shard.steps)});
    }
    for (const TypeInfo& type : snapshot.types) {
        totals.types.push_back(
            {type.type, number(type.processes), number(type.bytes), number(type.mailbox)});
    }
    for (const MemoryUse& use : snapshot.memory)
        totals.memory.push_back({use.kind, number(use.bytes)});
    totals.resident = number(snapshot.resident);
    return totals;
}

}  // namespace assetronics::ops
