#include "bennu/runtime/insight/snapshot.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <tuple>

#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/insight/stall.hpp"
#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

namespace {

constexpr std::uint32_t slots_per_slice = 8192;

bool busier(const ProcessInfo& a, const ProcessInfo& b) {
    return a.runs != b.runs ? a.runs > b.runs : a.pid < b.pid;
}
bool fuller(const ProcessInfo& a, const ProcessInfo& b) {
    return a.mailbox != b.mailbox ? a.mailbox > b.mailbox : a.pid < b.pid;
}

/// The first rows of a list that sees many more.
class Top {
  public:
    using Before = bool (*)(const ProcessInfo&, const ProcessInfo&);
    Top(std::size_t limit, Before before) : limit_(limit), before_(before) {}

    /// `light` has the numbers; the rest is filled in only for what is kept.
    template <typename Fill>
    void offer(const ProcessInfo& light, Fill&& fill) {
        if (limit_ == 0) return;
        if (rows_.size() == limit_) {
            if (!before_(light, rows_.front())) return;
            std::pop_heap(rows_.begin(), rows_.end(), before_);
            rows_.pop_back();
        }
        rows_.push_back(fill());
        std::push_heap(rows_.begin(), rows_.end(), before_);
    }
    std::vector<ProcessInfo> take() {
        std::sort_heap(rows_.begin(), rows_.end(), before_);
        return std::move(rows_);
    }

  private:
    std::size_t limit_;
    Before before_;
    std::vector<ProcessInfo> rows_;
};

struct Slice {
    std::uint32_t next = 0;  ///< 0: that was the last one
    std::vector<ProcessInfo> busiest, longest;
    std::map<std::string, TypeInfo> types;
    std::uint64_t messages = 0, runs = 0;
    std::size_t body_bytes = 0;
};

Slice look(std::uint32_t from, std::size_t top) {
    detail::Shard& shard = *detail::Shard::current();
    Slice slice;
    Top busiest(top, &busier), longest(top, &fuller);
    std::map<const detail::ProcessType*, TypeInfo> types;
    std::uint32_t to = std::min(from + slots_per_slice, shard.used_slots());
    for (std::uint32_t at = from; at < to; ++at) {
        const detail::Process* process = shard.at_slot(at);
        if (!process) continue;
        ProcessInfo light{.pid = shard.pid_of(*process),
                          .mailbox = process->mailbox,
                          .runs = shard.runs(*process)};
        auto fill = [&] { return detail::process_info(shard, *process); };
        busiest.offer(light, fill);
        if (light.mailbox > 0) longest.offer(light, fill);
        TypeInfo& type = types[process->type];
        ++type.processes;
        type.runs += light.runs;
        type.mailbox += light.mailbox;
        type.bytes += sizeof(detail::Process) + process->type->body_size +
                      light.mailbox * sizeof(detail::Message);
        slice.messages += light.mailbox;
        slice.runs += light.runs;
        slice.body_bytes += process->type->body_size;
    }
    for (auto& [type, info] : types) {
        info.type = type->name;
        slice.types.emplace(info.type, info);
    }
    slice.busiest = busiest.take();
    slice.longest = longest.take();
    slice.next = to < shard.used_slots() ? to : 0;
    return slice;
}

void merge_top(std::vector<ProcessInfo>& into, std::vector<ProcessInfo> more, std::size_t top,
               Top::Before before) {
    std::move(more.begin(), more.end(), std::back_inserter(into));
    std::sort(into.begin(), into.end(), before);
    if (into.size() > top) into.resize(top);
}

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0, resident = 0;
    statm >> pages >> resident;
    return statm ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::vector<CpuShare> shares(const std::vector<Pid>& samples) {
    std::map<Pid, std::size_t> counts;
    for (Pid pid : samples) ++counts[pid];
    std::vector<CpuShare> out;
    for (auto [pid, count] : counts) {
        out.push_back({pid, static_cast<double>(count) / static_cast<double>(samples.size())});
    }
    return out;
}

}  // namespace

Task<RuntimeSnapshot> runtime::snapshot(SnapshotOptions options) {
    RuntimeSnapshot snapshot;
    snapshot.at = wall_now();
    std::map<std::string, TypeInfo> types;
    std::map<std::string, std::size_t> memory;
    for (std::uint8_t index = 0; index < shard_count(); ++index) {
        ShardInfo info{.index = index};
        for (std::uint32_t from = 0;;) {
            auto slice = co_await ask_shard<Slice>(
                index, [from, top = options.top] { return look(from, top); });
            if (!slice) break;
            merge_top(snapshot.busiest, std::move(slice->busiest), options.top, &busier);
            merge_top(snapshot.longest_mailboxes, std::move(slice->longest), options.top, &fuller);
            for (auto& [name, type] : slice->types) {
                TypeInfo& sum = types[name];
                sum.type = name;
                sum.processes += type.processes;
                sum.bytes += type.bytes;
                sum.runs += type.runs;
                sum.mailbox += type.mailbox;
            }
            info.messages += slice->messages;
            info.runs += slice->runs;
            memory["bodies"] += slice->body_bytes;
            memory["mailboxes"] += slice->messages * sizeof(detail::Message);
            from = slice->next;
            if (from == 0) break;
        }
        auto gauges = co_await ask_shard<detail::ShardGauges>(
            index, [] { return detail::Shard::current()->gauges(); });
        if (gauges) {
            info.processes = gauges->processes;
            info.queued = gauges->queued;
            info.suspended = gauges->suspended;
            info.timers = gauges->timers;
            info.monitors = gauges->monitors;
            info.steps = gauges->steps;
            info.rejected = gauges->rejected;
            info.dropped = gauges->dropped;
            info.skipped = gauges->skipped;
            info.waiting_senders = gauges->waiting_senders;
            memory["process table"] += gauges->process_bytes;
            memory["run queues"] += gauges->queue_bytes;
            memory["wait tables"] += gauges->wait_bytes;
            memory["timers"] += gauges->timer_bytes;
            memory["monitors and links"] += gauges->monitor_bytes;
        }
        auto samples =
            co_await ask_shard<std::vector<Pid>>(index, [] { return detail::cpu_samples(); });
        if (samples) {
            std::vector<CpuShare> part = shares(*samples);
            std::move(part.begin(), part.end(), std::back_inserter(snapshot.cpu));
        }
        snapshot.shards.push_back(info);
    }
    std::sort(snapshot.cpu.begin(), snapshot.cpu.end(), [](const CpuShare& a, const CpuShare& b) {
        return a.share != b.share ? a.share > b.share : a.pid < b.pid;
    });
    if (snapshot.cpu.size() > options.top) snapshot.cpu.resize(options.top);
    for (auto& [name, type] : types) snapshot.types.push_back(std::move(type));
    std::sort(snapshot.types.begin(), snapshot.types.end(),
              [](const TypeInfo& a, const TypeInfo& b) {
                  return std::tie(b.bytes, a.type) < std::tie(a.bytes, b.type);
              });
    if (snapshot.types.size() > options.top) snapshot.types.resize(options.top);
    for (auto& [kind, bytes] : memory) snapshot.memory.push_back({kind, bytes});
    std::sort(snapshot.memory.begin(), snapshot.memory.end(),
              [](const MemoryUse& a, const MemoryUse& b) {
                  return std::tie(b.bytes, a.kind) < std::tie(a.bytes, b.kind);
              });
    snapshot.resident = resident_bytes();
    co_return snapshot;
}

}  // namespace bennu
