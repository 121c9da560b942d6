#include "bennu/runtime/supervisor/tree.hpp"

#include <algorithm>
#include <deque>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/ask_shard.hpp"
#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/supervisor/listed.hpp"

namespace bennu {

namespace {

constexpr std::size_t kept_records = 100;
constinit EventName restart_event{"runtime.supervisor.restart"};

struct NotedRestart {
    RestartRecord record;
    Instant began;
};

/// Of one shard.
struct SupervisorList {
    std::unordered_map<detail::ListedSupervisor*, Pid> supervisors;
    std::deque<NotedRestart> history;
    std::uint64_t next_serial = 1;
};

}  // namespace

void detail::ListedSupervisor::list() {
    listed_ = true;
    shard_local<SupervisorList>().supervisors.emplace(this, self());
}

detail::ListedSupervisor::~ListedSupervisor() {
    if (listed_) shard_local<SupervisorList>().supervisors.erase(this);
}

void detail::note_restart(const std::string& child, LastEnd& end, unsigned restarts,
                          Duration delay) {
    log_warning("restarting a child", {{"child", child}, {"after", end.reason}, {"delay", delay}});
    emit(restart_event, {{"restarts", restarts}, {"delay", delay}},
         {{"child", child}, {"reason", end.reason}});
    SupervisorList& list = shard_local<SupervisorList>();
    if (list.history.size() == kept_records) list.history.pop_front();
    end.noted = list.next_serial++;
    // The turn's own time would call a restart within a turn instantaneous.
    list.history.push_back({{.at = wall_now(),
                             .supervisor = self(),
                             .child = child,
                             .reason = end.reason,
                             .awaits = end.awaits,
                             .restarts = restarts,
                             .delay = delay,
                             .was = end.pid,
                             .serial = end.noted},
                            reactor().now()});
}

void detail::note_running(LastEnd& end, Pid pid) {
    const std::uint64_t serial = std::exchange(end.noted, 0);
    if (serial == 0) return;
    for (NotedRestart& noted : shard_local<SupervisorList>().history) {
        if (noted.record.serial != serial) continue;
        noted.record.pid = pid;
        noted.record.took = reactor().now() - noted.began;
    }
}

namespace {

using Rows = std::vector<detail::SupervisorRow>;

Rows rows_of_this_shard(std::size_t max_children) {
    Rows rows;
    for (const auto& [supervisor, pid] : shard_local<SupervisorList>().supervisors) {
        rows.emplace_back();
        rows.back().pid = pid;
        supervisor->describe(rows.back(), max_children);
    }
    // A hash table of addresses has no order of its own that a run could repeat.
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
    return rows;
}

struct Assembly {
    std::unordered_map<Pid, const detail::SupervisorRow*> rows;
    std::unordered_map<Pid, ProcessInfo> processes;

    void fill(TreeNode& node) const {
        if (auto info = processes.find(node.pid); info != processes.end()) {
            node.name = info->second.name;
            node.type = info->second.type;
            node.activity = info->second.state;
            node.mailbox = info->second.mailbox;
            node.runs = info->second.runs;
            node.bytes = info->second.bytes;
        }
        auto found = rows.find(node.pid);
        if (found == rows.end()) return;
        const detail::SupervisorRow& row = *found->second;
        node.strategy = row.kind;
        node.child_count = row.child_count;
        for (const auto& child : row.children) {
            TreeNode below{.id = child.id,
                           .pid = child.pid,
                           .state = child.state,
                           .restarts = child.restarts,
                           .last_exit = child.last_exit,
                           .up = child.up,
                           .retry_in = child.retry_in};
            fill(below);
            node.children.push_back(std::move(below));
        }
    }
};

}  // namespace

Task<std::vector<TreeNode>> supervision_tree(TreeOptions options) {
    Rows rows;
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        auto part = co_await ask_shard<Rows>(
            shard, [limit = options.max_children] { return rows_of_this_shard(limit); });
        if (part) std::move(part->begin(), part->end(), std::back_inserter(rows));
    }
    Assembly assembly;
    std::unordered_set<Pid> below;
    std::vector<std::vector<Pid>> wanted(shard_count());
    for (const auto& row : rows) {
        assembly.rows.emplace(row.pid, &row);
        wanted[row.pid.shard()].push_back(row.pid);
        for (const auto& child : row.children) {
            if (!child.pid) continue;
            below.insert(child.pid);
            wanted[child.pid.shard()].push_back(child.pid);
        }
    }
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        auto infos = co_await ask_shard<std::vector<ProcessInfo>>(
            shard, [pids = std::move(wanted[shard])] { return detail::process_infos(pids); });
        if (!infos) continue;
        for (ProcessInfo& info : *infos) {
            Pid pid = info.pid;
            assembly.processes.emplace(pid, std::move(info));
        }
    }
    std::vector<TreeNode> roots;
    for (const auto& row : rows) {
        if (below.contains(row.pid)) continue;
        TreeNode root{.pid = row.pid};
        assembly.fill(root);
        root.id = root.name;
        roots.push_back(std::move(root));
    }
    co_return roots;
}

Task<std::vector<RestartRecord>> restart_history() {
    std::vector<RestartRecord> records;
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        auto part = co_await ask_shard<std::vector<RestartRecord>>(shard, [] {
            std::vector<RestartRecord> copy;
            for (const NotedRestart& noted : shard_local<SupervisorList>().history)
                copy.push_back(noted.record);
            return copy;
        });
        if (part) std::move(part->begin(), part->end(), std::back_inserter(records));
    }
    std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
        return std::tie(b.at, b.serial) < std::tie(a.at, a.serial);
    });
    co_return records;
}

}  // namespace bennu
