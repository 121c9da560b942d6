#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bennu/base/time.hpp"

namespace bennu {

/// How long a shard may be in one turn, by the clock on the wall.
struct HangLimits {
    Duration warn_after = std::chrono::seconds(1);
    Duration abort_after = std::chrono::seconds(10);  ///< SIGABRT, so that it can still say where
    Duration kill_after = std::chrono::seconds(12);
    /// How often the launcher must look for these limits to hold.
    Duration look_every() const;
};

/// Tells a shard that hangs from one that is asleep, stopped, or on a machine that was suspended.
/// Only time that passed under the eyes of the launcher counts: when the launcher itself did not
/// run (suspension, a paused virtual machine, SIGSTOP of the whole container), neither did the
/// node.
class HangWatch {
  public:
    explicit HangWatch(HangLimits limits) : limits_(limits) {}

    struct Finding {
        enum class Kind : std::uint8_t { fine, slow, hangs, immovable };
        Kind kind = Kind::fine;
        std::size_t shard = 0;
        Duration held{};
    };
    /// `beats`: the latest of each shard, as in NodePage. `halted`: a signal or a debugger stopped
    /// the node. Each finding but `fine` is told once for a hang.
    Finding look(Instant now, std::span<const std::int64_t> beats, bool halted);
    /// Whether some shard has been in one turn for longer than `warn_after`.
    bool hanging() const { return told_ != Finding::Kind::fine; }

  private:
    struct Seen {
        std::int64_t beat = 0;
        Duration held{};
    };
    HangLimits limits_;
    std::vector<Seen> shards_;
    Instant looked_{};
    Finding::Kind told_ = Finding::Kind::fine;
};

}  // namespace bennu
