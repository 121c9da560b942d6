#pragma once

#include <sys/types.h>

#include <string>

#include "bennu/base/result.hpp"
#include "bennu/runtime/launcher/inherited.hpp"

namespace bennu {

/// What one image of the launcher tells the next, which has the same process id and children.
struct Handover {
    enum class Step : std::uint8_t {
        none,
        upgrade,      ///< start a node of this program and let it replace the one that runs
        rolled_back,  ///< the upgrade failed: go on with the node that runs, or start one
    };
    Step step = Step::none;
    pid_t node = 0;  ///< 0: none runs
};

/// The program file of this process as it was called, so that a later `execute` finds the file
/// that stands there then. Call before the file may have been replaced.
std::string program_path();

/// What this image was told, once; `none` for one that was simply started.
Handover take_handover();

/// Starts the program at `path` in a child that only checks whether it could serve: its arguments,
/// its configuration, its libraries. Exits with 0 when it could. -1 when it cannot be started.
pid_t start_check(const std::string& path);

/// Replaces this process by another image of the launcher. Returns only when that failed.
Error execute(const std::string& path, Handover handover, const NamedDescriptors& descriptors);

/// Runs `path` as a node, in the child of a fork.
[[noreturn]] void execute_node(const std::string& path, const NamedDescriptors& descriptors);

/// What this process was started as.
enum class Role : std::uint8_t { launcher, node, check };
Role own_role();

}  // namespace bennu
