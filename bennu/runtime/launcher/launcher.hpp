#pragma once

#include <string>

#include "bennu/base/function.hpp"
#include "bennu/base/result.hpp"
#include "bennu/runtime/launcher/hang_watch.hpp"
#include "bennu/runtime/launcher/node.hpp"
#include "bennu/runtime/launcher/quarantine.hpp"
#include "bennu/runtime/launcher/restart_policy.hpp"
#include "bennu/runtime/reactor/reactor.hpp"

namespace bennu {

struct LaunchOptions {
    std::string name = "bennu";  ///< in messages and process names
    SocketAddress address;       ///< what the launcher listens on for its nodes
    /// How many nodes serve side by side on the listening socket, 1 to 200. More than one is for
    /// more sockets than one process may open, and so that a crash takes fewer connections along.
    unsigned workers = 1;
    /// Runs beside more than one worker, in a process of its own that is started again like a node,
    /// and passes messages between them; `listener` is a socket on which nodes meet it, `token`
    /// what they have to show. Unset: they cannot talk to each other.
    Function<int(int listener, std::string token) const> hub = {};
    /// Where crash reports are kept, the newest 20; empty: nowhere.
    std::string crash_folder;
    RestartPolicyOptions restarts;
    QuarantineOptions quarantine;
    HangLimits hangs;
    Duration stop_grace = std::chrono::seconds(25);
    /// How long the node of an upgrade may take until it is ready; the upgrade is undone after
    /// that.
    Duration ready_within = std::chrono::seconds(60);
    /// How long after an upgrade nodes that do not stay up lead back to the previous program.
    Duration rollback_within = std::chrono::seconds(60);
};

/// Runs `node` under a launcher: the outer supervisor of a process that, being C++, can end at any
/// instruction.
///
/// The calling process becomes the launcher. It opens the listening socket (or takes the one of
/// systemd's socket activation), starts itself anew as the node, and whenever the node ends
/// unexpectedly starts it again, at first at once and then with back-off, while clients wait in the
/// socket's queue instead of being refused. What a crashing node could still say (signal, stack,
/// the running process and what it worked on) is kept as a report; a node that hangs is made to
/// crash; work that crashes node after node is put in quarantine (see work.hpp).
///
/// * SIGINT, SIGTERM: stops the node politely, then ends. A second one does not wait.
/// * SIGUSR2, and SIGHUP unless there is a terminal (where it stops, as people expect): upgrades to
///   the program that stands under this one's name by now, without a refused connection.
/// * SIGUSR1: lets everything out of quarantine.
///
/// If the launcher itself is killed, its nodes stop too. A node that exits by itself before
/// `notify_ready` is not restarted: it has said what is wrong. Returns the exit status of the
/// whole.
int launch(const LaunchOptions& options, Function<int(NodeEnvironment)> node);

/// The listening socket that a launcher opens; the error says what to do when the port is taken.
Result<int> open_listener(const SocketAddress& address);

}  // namespace bennu
