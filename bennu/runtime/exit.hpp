#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bennu/base/shared.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu {

struct Fault;

/// Why a process ended. Cheap to copy: it goes to every link and monitor.
class ExitReason {
  public:
    enum class Kind : std::uint8_t {
        normal,    ///< its body said so
        shutdown,  ///< its supervisor or owner asked it to stop
        killed,    ///< ended from outside without being asked
        fault,     ///< an exception left one of its handlers
        noproc,    ///< it was not there when it was linked or monitored
    };

    ExitReason() = default;
    static ExitReason normal() { return {}; }
    static ExitReason shutdown() { return ExitReason(Kind::shutdown, {}); }
    static ExitReason killed(std::string why = {});
    static ExitReason noproc() { return ExitReason(Kind::noproc, {}); }
    /// `text` says what was thrown; `awaits` are the await points it passed, innermost first.
    static ExitReason from_fault(const Fault& fault);

    Kind kind() const { return kind_; }
    /// Normal and shutdown exits are expected: transient children are not restarted after them.
    bool expected() const { return kind_ == Kind::normal || kind_ == Kind::shutdown; }
    /// One line for logs.
    std::string describe() const;
    /// `file:line function` of each await point, innermost first; empty unless this is a fault.
    const std::vector<std::string>& awaits() const;

  private:
    struct Details {
        std::string text;
        std::vector<std::string> awaits;
    };
    ExitReason(Kind kind, Shared<Details> details) : kind_(kind), details_(std::move(details)) {}

    Kind kind_ = Kind::normal;
    Shared<Details> details_;
};

std::string_view to_string(ExitReason::Kind kind);

/// Names one `monitor` call.
struct MonitorId {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
    bool operator==(const MonitorId&) const = default;
};

/// A monitored process ended (exactly one per monitor). Delivered to `handle(Down)`.
struct Down {
    Pid pid;
    MonitorId monitor;
    ExitReason reason;
};

/// A linked process ended. Delivered to `handle(Exit)` of a server that has such a handler (it
/// "traps exits"); any other server ends with the same reason, unless that was normal.
struct Exit {
    Pid pid;
    ExitReason reason;
};

}  // namespace bennu
