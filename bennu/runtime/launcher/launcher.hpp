#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/result.hpp"
#include "bennu/runtime/launcher/restart_policy.hpp"
#include "bennu/runtime/reactor/reactor.hpp"

namespace bennu {

struct LaunchOptions {
    std::string name = "bennu";  ///< in messages and process names
    SocketAddress address;       ///< what the launcher listens on for its nodes
    /// Where crash reports are kept, the newest 20; empty: nowhere.
    std::string crash_folder;
    RestartPolicyOptions restarts;
    std::chrono::seconds stop_grace{25};
};

/// What a node gets from its launcher.
struct NodeEnvironment {
    int listener = -1;  ///< the listening socket, open and bound
};

/// Runs `node` under a launcher: the outer supervisor of a process that, being C++, can end at any
/// instruction.
///
/// The calling process becomes the launcher. It opens the listening socket (or takes the one of
/// systemd's socket activation), starts itself anew as the node, and whenever the node ends
/// unexpectedly starts it again, at first at once and then with back-off, while clients wait in the
/// socket's queue instead of being refused. What a crashing node could still say (signal, stack,
/// the running process) is kept as a report. SIGINT and SIGTERM stop the node politely and then end
/// the launcher; if the launcher itself is killed, its node stops too.
///
/// A node that exits by itself before `notify_ready` is not restarted: it has said what is wrong.
/// Returns the exit status of the whole.
int launch(const LaunchOptions& options, Function<int(NodeEnvironment)> node);

/// For nodes: tells the launcher that they serve. Does nothing without one.
void notify_ready();

/// The listening socket that a launcher opens; the error says what to do when the port is taken.
Result<int> open_listener(const SocketAddress& address);

}  // namespace bennu
