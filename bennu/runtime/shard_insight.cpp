// What others may know of a shard.
#include "bennu/runtime/shard.hpp"

namespace bennu::detail {

bool Shard::linked(const Process& process, Pid target) const {
    for (std::uint32_t at = process.watching; at != Process::nil; at = watches_[at].next_watching) {
        if (watches_[at].link && watches_[at].target == target) return true;
    }
    return mutual(process, target);
}

bool Shard::linked_by(const Process& process, Pid watcher) const {
    for (std::uint32_t at = process.watchers; at != Process::nil; at = watches_[at].next_watcher) {
        if (watches_[at].link && watches_[at].watcher == watcher) return true;
    }
    const Process* child = watcher.shard() == index_ ? at_slot(watcher.slot()) : nullptr;
    return child && pid_of(*child) == watcher && mutual(*child, pid_of(process));
}

std::vector<Pid> Shard::links(const Process& process) const {
    std::vector<Pid> links;
    for (std::uint32_t at = process.watching; at != Process::nil; at = watches_[at].next_watching) {
        if (watches_[at].link) links.push_back(watches_[at].target);
    }
    return links;
}

bool Shard::mutual(const Process& child, Pid parent) const {
    for (std::uint32_t at = child.watchers; at != Process::nil; at = watches_[at].next_watcher) {
        if (watches_[at].mutual && watches_[at].watcher == parent) return true;
    }
    return false;
}

const Process* Shard::at_slot(std::uint32_t index) const {
    if (index >= used_slots_ || !slot(index).has(Process::alive)) return nullptr;
    return &slot(index);
}

ShardGauges Shard::gauges() const {
    ShardGauges gauges;
    gauges.processes = process_count_;
    gauges.slots = used_slots_;
    gauges.queued = run_queue_.size();
    gauges.suspended = waits_.size();
    gauges.timers = timers_.size();
    gauges.monitors = watches_.size() - free_watches_.size();
    gauges.steps = steps();
    gauges.rejected = rejected_;
    gauges.dropped = dropped_;
    gauges.skipped = calls_skipped_;
    gauges.waiting_senders = waiting_senders_;
    gauges.process_bytes = chunks_.size() * chunk_size * (sizeof(Process) + sizeof(std::uint32_t));
    gauges.queue_bytes = run_queue_.size() * sizeof(Due);
    gauges.wait_bytes = waits_.bytes();
    gauges.timer_bytes = timers_.bytes();
    gauges.monitor_bytes = watches_.capacity() * sizeof(Watch);
    return gauges;
}

}  // namespace bennu::detail
