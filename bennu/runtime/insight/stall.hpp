#pragma once

#include <memory>
#include <vector>

#include "bennu/base/events.hpp"
#include "bennu/base/time.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu {

namespace detail {
class Shard;
}

struct StallOptions {
    /// Processor time that one piece of code may hold its shard without giving it back. Zero: no
    /// detector.
    Duration threshold = std::chrono::milliseconds(10);
    unsigned reports_per_minute = 5;
};

/// Announced for each report, on the reporter's thread. Measurements: `held` (processor time so
/// far), `suppressed` (reports left out since the last). Metadata: `shard`, `pid`, `function` (the
/// innermost frame that is not the standard library's), `stack` (innermost first, one per line).
extern constinit EventName stall_event;

/// Notices code that holds a shard too long, and says which: a clock interrupts each shard thread
/// while it runs, and when the shard has run nothing else since for longer, in the thread's own
/// processor time, the stack is kept and a thread beside the shards names its functions, logs and
/// announces it. A stall that goes on
/// is reported again at ten times the threshold, a hundred times, and so on.
///
/// Processor time stands still while the thread is not on a processor, so that a machine that was
/// suspended, or busy with other programs, is no stall. Neither is a blocking system call: it holds
/// the shard without using its processor, and is not seen. The clock may interrupt such a call a
/// few times (EINTR, where SA_RESTART does not apply).
class StallDetector {
  public:
    explicit StallDetector(StallOptions options);
    ~StallDetector();
    StallDetector(const StallDetector&) = delete;
    StallDetector& operator=(const StallDetector&) = delete;

    /// Watches the calling thread, which runs this shard, while alive.
    class Watching {
      public:
        Watching(StallDetector& detector, detail::Shard& shard);
        ~Watching();
        Watching(const Watching&) = delete;
        Watching& operator=(const Watching&) = delete;

        /// Around `Shard::wait`: a thread that sleeps is left alone.
        void rest();
        void go_on();

        struct Thread;

      private:
        std::unique_ptr<Thread> thread_;
    };
    struct Reporter;

  private:
    std::unique_ptr<Reporter> reporter_;
};

namespace detail {
/// Who was on the processor at the latest ticks of this shard's clock. Own thread.
std::vector<Pid> cpu_samples();
}  // namespace detail

}  // namespace bennu
