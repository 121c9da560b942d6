#pragma once

#include <string>

#include "bennu/base/time.hpp"

namespace bennu {

/// What the launcher knows about the end of a node.
struct CrashReport {
    Timestamp at;
    std::string how;  ///< "killed by signal 9 (KILL)", "exited with status 3"
    Duration uptime{};
    std::string said;  ///< what the node's crash handler could still write; may be empty
};

/// Writes the report to a file of its own in `folder` (made when missing) and deletes all but the
/// newest 20. Addresses are turned into functions and lines when a symboliser is installed. Returns
/// the file's path, or an empty one when the folder cannot be written.
std::string keep_crash_report(const std::string& folder, const CrashReport& report);

}  // namespace bennu
