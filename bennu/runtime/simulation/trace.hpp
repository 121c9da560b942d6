#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "bennu/base/time.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu {

/// One thing that happened in a simulated run. Times are since its start; negative: it did not get
/// that far.
struct TraceEvent {
    enum class Kind : std::uint8_t {
        message,  ///< from a process (or a timer, or outside: nobody) to another
        answer,   ///< a reply, a time-out, the end of a sleep: for a suspended coroutine
        spawn,
        exit,
        fault,  ///< injected; `to` is the victim, if it is a process
    };
    Kind kind = Kind::message;
    Duration sent{};
    Duration arrived{-1};
    Duration ran{-1};
    Pid from, to;
    std::string text;  ///< the message's type, the exit reason, what the fault did
    bool by_timer = false;
    bool lost = false;  ///< nobody will run it
};

/// The last events of a run and who took part in it: at most `limit` events, the oldest go first.
class SimTrace {
  public:
    struct Participant {
        std::string type, name;
        Duration started{}, ended{-1};
    };

    explicit SimTrace(std::size_t limit) : limit_(limit) {}

    /// Names the event until it is forgotten.
    std::uint64_t add(TraceEvent event);
    /// Null when it is forgotten already.
    TraceEvent* find(std::uint64_t id);
    const std::deque<TraceEvent>& events() const { return events_; }
    /// How many were forgotten.
    std::uint64_t forgotten() const { return first_; }
    std::map<Pid, Participant>& participants() { return participants_; }
    const std::map<Pid, Participant>& participants() const { return participants_; }

  private:
    std::size_t limit_;
    std::uint64_t first_ = 0;  ///< of the events that are kept
    std::deque<TraceEvent> events_;
    std::map<Pid, Participant> participants_;
};

}  // namespace bennu
