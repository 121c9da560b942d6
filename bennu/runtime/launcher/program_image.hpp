#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

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
    std::vector<pid_t> nodes = {};  ///< of the workers, in their order; 0: it does not run
    pid_t hub = 0;
    std::string hub_address = {};
    std::string hub_token = {};
};

/// What a child of the launcher is started as, and what it is told.
struct ChildRole {
    enum class Kind : std::uint8_t { node, hub };
    Kind kind = Kind::node;
    unsigned worker = 0;
    unsigned workers = 1;
    std::string hub_address = {};  ///< empty: there is no hub
    std::string hub_token = {};
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

/// Runs `path` as a node or as the hub, in the child of a fork.
[[noreturn]] void execute_child(const std::string& path, const ChildRole& role,
                                const NamedDescriptors& descriptors);

/// What this process was started as.
enum class Role : std::uint8_t { launcher, node, hub, check };
Role own_role();
/// What a node or a hub was told, once.
ChildRole take_child_role();

}  // namespace bennu
