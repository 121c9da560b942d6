#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bennu/base/time.hpp"

namespace bennu::net {

struct AdmissionLimits {
    /// How long requests may wait for their shard; zero: as long as it takes.
    Duration queue_delay = std::chrono::milliseconds(100);
    /// So long all of them must have waited longer before any is turned away.
    Duration window = std::chrono::milliseconds(100);
    /// And so many of them came: a machine that is busy with something else delays one or two.
    std::uint32_t fewest = 16;
    /// What the process may hold, in bytes; 0: any.
    std::uint64_t memory = 0;
};

/// Decides which requests of one listener are turned away before any work is done for them, on one
/// shard. After CoDel: a queue is bad when it stands, not when it is long for a moment. Once
/// everybody has waited over `queue_delay` for a window, who has waited over twice that is turned
/// away, which keeps the queue that short while the shard works on as much as it can; until for
/// a whole window nobody has waited over `queue_delay`.
class Admission {
  public:
    enum class Verdict : std::uint8_t { admitted, queue, memory };

    void set_limits(const AdmissionLimits& limits) { limits_ = limits; }
    /// A request's head is there, after it waited so long for the shard.
    Verdict judge(Instant now, Duration waited);
    /// The process holds so many bytes.
    void note_memory(std::uint64_t bytes);
    std::uint64_t memory_limit() const { return limits_.memory; }
    bool overloaded() const { return overloaded_ || memory_full_; }

  private:
    void begin_window(Instant now, Duration waited);
    void end_window(bool paused);

    AdmissionLimits limits_;
    Instant window_end_;
    Duration shortest_{}, longest_{};  ///< waits in this window
    std::uint32_t count_ = 0;          ///< requests in it
    Instant last_;                     ///< when the latest of them came
    Instant logged_;
    bool overloaded_ = false;
    bool memory_full_ = false;
};

std::string_view to_string(Admission::Verdict verdict);

}  // namespace bennu::net
