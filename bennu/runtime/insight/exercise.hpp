#pragma once

#include <stdexcept>
#include <string>

#include "bennu/base/time.hpp"
#include "bennu/runtime/pid.hpp"
#include "bennu/runtime/task.hpp"

/// Faults on purpose, for drills and tests of running programs. Targets may live on any shard; an
/// outcome says that the fault is in place, not what came of it.
namespace bennu::runtime {

/// The exception of `crash_process`.
class InjectedFault : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// An exception ends the process, in its name: wherever it is suspended, that is the place of the
/// fault. Exit reason, log, owed answers, links, monitors and supervisors are those of a fault of
/// its own. Error `not_found` (code `noproc`) when it is gone.
Task<Result<>> crash_process(Pid pid, std::string text);

/// Occupies the process, after what is in its mailbox now, with a handler that takes that long and
/// does nothing. Its shard goes on; so do stopping (after the handler) and killing it. Errors
/// `not_found` (code `noproc`), `overloaded` (code `mailbox_full`), `conflict` (code `no_mailbox`)
/// for a bare coroutine.
Task<Result<>> hang_process(Pid pid, Duration how_long);

}  // namespace bennu::runtime
