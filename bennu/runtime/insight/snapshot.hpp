#pragma once

#include <string>
#include <vector>

#include "bennu/base/time.hpp"
#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

/// All processes of one type together.
struct TypeInfo {
    std::string type;
    std::size_t processes = 0;
    std::size_t bytes = 0;  ///< as in ProcessInfo
    std::uint64_t runs = 0;
    std::uint64_t mailbox = 0;
};

struct ShardInfo {
    std::uint8_t index = 0;
    std::size_t processes = 0;
    std::size_t queued = 0;     ///< processes and coroutines that are due to run
    std::size_t suspended = 0;  ///< coroutines that wait for an answer, a time or a job
    std::size_t timers = 0;
    std::size_t monitors = 0;         ///< and links, one for each direction
    std::uint64_t messages = 0;       ///< in mailboxes
    std::uint64_t runs = 0;           ///< of its present processes
    std::uint64_t steps = 0;          ///< since it began, as what follows
    std::uint64_t rejected = 0;       ///< messages that a full mailbox did not take
    std::uint64_t dropped = 0;        ///< oldest messages that made room in a full mailbox
    std::uint64_t skipped = 0;        ///< calls that were not run: their callers had given up
    std::size_t waiting_senders = 0;  ///< now: for room in mailboxes that block
};

struct MemoryUse {
    std::string kind;
    std::size_t bytes = 0;
};

/// A process that was on the processor when the stall detector's clock looked, and how often.
struct CpuShare {
    Pid pid;           ///< nobody: the runtime itself
    double share = 0;  ///< of its shard's latest samples, 0 to 1
};

struct RuntimeSnapshot {
    Timestamp at;
    std::vector<ShardInfo> shards;
    std::vector<ProcessInfo> busiest;            ///< by runs
    std::vector<ProcessInfo> longest_mailboxes;  ///< those that are not empty
    std::vector<TypeInfo> types;                 ///< by bytes
    std::vector<CpuShare> cpu;                   ///< empty without a stall detector
    /// What the runtime itself holds, by kind: `bodies`, `mailboxes`, `process table`, `timers`…
    /// Memory that bodies and messages point to is in `resident` only.
    std::vector<MemoryUse> memory;
    std::size_t resident = 0;  ///< of the whole program; 0 when the system does not say
};

struct SnapshotOptions {
    std::size_t top = 10;  ///< rows of each list
};
namespace runtime {
/// Looks at every process, a slice of a shard at a time, so that a million of them delay nobody.
/// Numbers of different slices are of slightly different moments.
Task<RuntimeSnapshot> snapshot(SnapshotOptions options = {});
}  // namespace runtime

}  // namespace bennu
