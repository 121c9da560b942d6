#pragma once

#include <string>
#include <vector>

#include "bennu/runtime/insight/process_info.hpp"
#include "bennu/runtime/supervisor/child_spec.hpp"

namespace bennu {

/// One process of a supervision tree as it is now. Supervisors have children.
struct TreeNode {
    std::string id;    ///< of its child spec; a root's registered name
    Pid pid;           ///< nobody unless it runs
    std::string name;  ///< registered
    std::string type;
    ChildState state = ChildState::running;
    unsigned restarts = 0;
    std::string last_exit;
    Duration up{};        ///< while it runs, where its supervisor knows
    Duration retry_in{};  ///< while it waits
    ProcessState activity = ProcessState::idle;
    std::uint32_t mailbox = 0;
    std::uint32_t runs = 0;
    std::size_t bytes = 0;        ///< as in ProcessInfo
    std::string strategy;         ///< of a supervisor (or `dynamic`); else empty
    std::size_t child_count = 0;  ///< may be more than are listed
    std::vector<TreeNode> children;
};

struct TreeOptions {
    std::size_t max_children = 200;  ///< listed per supervisor
};
/// Every supervision tree of this runtime, from its roots. Does not send messages to supervisors,
/// so that a busy or stuck one is listed too; processes that came or went meanwhile may be missing.
Task<std::vector<TreeNode>> supervision_tree(TreeOptions options = {});

/// One restart, or attempt at one.
struct RestartRecord {
    Timestamp at;
    Pid supervisor;
    std::string child;
    std::string reason;
    std::vector<std::string> awaits;  ///< of a fault: the await points that it passed
    unsigned restarts = 0;            ///< of this child so far
    Duration delay{};                 ///< before it is started again
    Pid was;                          ///< nobody when it did not even start
    Pid pid;                          ///< nobody until it runs again
    Duration took{};           ///< from when its supervisor learned of the end to when it ran again
    std::uint64_t serial = 0;  ///< counts the restarts of the supervisor's shard
};
/// The latest restarts (at most 100 of each shard), newest first.
Task<std::vector<RestartRecord>> restart_history();

}  // namespace bennu
