#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bennu/base/record.hpp"

// What viewers of the tree are told on `topic`.
namespace assetronics::ops {

/// A process of the tree as the page shows it.
struct ProcessRow {
    std::int64_t key = 0;     ///< stays while it has this place in the tree, whatever its pid
    std::int64_t parent = 0;  ///< 0: a root
    std::int64_t position = 0;
    std::string id;
    std::string pid;  ///< "" unless it runs
    std::string name;
    std::string type;
    std::string strategy;  ///< of a supervisor
    std::string state;
    std::string activity;
    std::int64_t restarts = 0;
    std::string last_exit;
    std::int64_t mailbox = 0;
    std::int64_t bytes = 0;
    std::int64_t runs = 0;  ///< without what watching it caused
    std::int64_t shard = 0;
    std::int64_t children = 0;  ///< may be more than have rows
    bool answers = true;        ///< has a mailbox, so that it can give signs of life
    bool practice = false;
    std::string guarded;  ///< why it may not be crashed; "" when it may
    std::optional<bennu::Timestamp> started_at;
    std::optional<bennu::Timestamp> retry_at;
};
BENNU_RECORD(ProcessRow, key, parent, position, id, pid, name, type, strategy, state, activity,
             restarts, last_exit, mailbox, bytes, runs, shard, children, answers, practice, guarded,
             started_at, retry_at)

/// A restart as the page shows it.
struct RestartRow {
    std::string id;
    bennu::Timestamp at;
    std::string supervisor;  ///< its pid
    std::string child;
    std::string reason;
    std::vector<std::string> awaits;
    std::int64_t restarts = 0;
    double delay_ms = 0;
    std::string was;
    std::string pid;  ///< "" until it runs again
    double took_us = 0;
};
BENNU_RECORD(RestartRow, id, at, supervisor, child, reason, awaits, restarts, delay_ms, was, pid,
             took_us)

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

/// All processes, also those that are in no tree.
struct RuntimeTotals {
    std::vector<ShardTotals> shards;
    std::vector<TypeTotals> types;
    std::vector<MemoryTotals> memory;
    std::int64_t resident = 0;
};
BENNU_RECORD(RuntimeTotals, shards, types, memory, resident)

/// `everything`
struct TreeSeen {
    std::int64_t seq = 0;
    std::vector<ProcessRow> processes;
    std::vector<RestartRow> restarts;
    RuntimeTotals totals;
};
BENNU_RECORD(TreeSeen, seq, processes, restarts, totals)

/// `changes`: since the message with the `seq` before.
struct TreeChanges {
    std::int64_t seq = 0;
    std::vector<std::vector<std::int64_t>> beats;  ///< key and microseconds of each sign of life
    std::vector<ProcessRow> added;
    bennu::Json changed;  ///< a list: key and those fields of a row that changed
    std::vector<std::int64_t> removed;
    std::vector<RestartRow> restarts;
    std::optional<RuntimeTotals> totals;
};
BENNU_RECORD(TreeChanges, seq, beats, added, changed, removed, restarts, totals)

}  // namespace assetronics::ops
