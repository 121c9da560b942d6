#pragma once

#include <memory>

#include "bennu/base/function.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu::detail {

/// Something that must know when a process ends, to forget it or to take over from it. Called on
/// the process's shard, right after the process stopped being found under its Pid and before its
/// frames and body are destroyed.
class ExitHook {
  public:
    virtual ~ExitHook() = default;
    virtual void process_ended(Pid pid) = 0;
};

/// On the process's own shard (at once, when that is this one): has it forgotten by `hook` when it
/// ends, then calls `act`. Neither when it is gone.
void on_process(Pid pid, std::shared_ptr<ExitHook> hook, Function<void(Pid)> act);

}  // namespace bennu::detail
