#pragma once

#include <sys/types.h>

#include <string>

#include "bennu/base/time.hpp"

namespace bennu {

/// What the launcher knows about the end of a node.
struct CrashReport {
    Timestamp at;
    std::string how;  ///< "killed by signal 9 (KILL)", "exited with status 3"
    Duration uptime{};
    std::string note;       ///< what the launcher saw or did before; may be empty
    std::string said;       ///< what the node's crash handler could still write; may be empty
    std::string in_flight;  ///< requests and jobs that were in progress, one per line
};

/// Writes the report to a file of its own in `folder` (made when missing) and deletes all but the
/// newest 20. Returns the file's path, or an empty one when the folder cannot be written.
std::string keep_crash_report(const std::string& folder, const CrashReport& report);

/// Starts a child that adds to each address of a report the function and the line that it stands
/// for, when a symboliser is installed. That takes longer than starting the next node. Returns its
/// process id, for the caller to reap.
pid_t symbolise_crash_report(const std::string& path);

}  // namespace bennu
