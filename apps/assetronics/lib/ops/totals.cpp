#include "apps/assetronics/lib/ops/totals.hpp"

#include "bennu/base/record_json.hpp"

namespace assetronics::ops {

using namespace bennu;

namespace {

struct ShardTotals {
    std::int64_t shard = 0;
    std::int64_t processes = 0;
    std::int64_t queued = 0;
    std::int64_t suspended = 0;
    std::int64_t timers = 0;
    std::int64_t messages = 0;
    std::int64_t steps = 0;
};
BENNU_RECORD(ShardTotals, shard, processes, queued, suspended, timers, messages, steps)

struct TypeTotals {
    std::string type;
    std::int64_t processes = 0;
    std::int64_t bytes = 0;
    std::int64_t mailbox = 0;
};
BENNU_RECORD(TypeTotals, type, processes, bytes, mailbox)

struct MemoryTotals {
    std::string kind;
    std::int64_t bytes = 0;
};
BENNU_RECORD(MemoryTotals, kind, bytes)

struct Totals {
    std::vector<ShardTotals> shards;
    std::vector<TypeTotals> types;
    std::vector<MemoryTotals> memory;
    std::int64_t resident = 0;
};
BENNU_RECORD(Totals, shards, types, memory, resident)

std::int64_t number(std::uint64_t count) {
    return static_cast<std::int64_t>(count);
}

}  // namespace

std::string totals_json(const RuntimeSnapshot& snapshot) {
    Totals totals;
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
    return to_json(totals);
}

}  // namespace assetronics::ops
