#pragma once

#include "bennu/runtime/supervisor.hpp"

namespace bennu {

/// What a supervisor knows of one child.
struct Supervisor::Child {
    ChildSpec spec;
    std::uint64_t serial = 0;
    Pid pid;
    MonitorId monitor;
    ChildState state = ChildState::starting;
    unsigned restarts = 0;
    unsigned in_a_row = 0;
    Instant started;
    Instant retry_at;
    detail::LastEnd last;
    detail::RestartMeter meter;  ///< used when it has a budget of its own

    bool due() const { return state == ChildState::waiting || state == ChildState::starting; }
    bool up() const { return static_cast<bool>(pid); }
};

namespace detail {
/// Ends a process as `shutdown` says and waits until it is gone.
Task<ExitReason> end_child(Pid pid, Duration shutdown);
}  // namespace detail

}  // namespace bennu
