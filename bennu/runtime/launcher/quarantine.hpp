#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "bennu/base/time.hpp"

namespace bennu {

struct QuarantineOptions {
    unsigned crashes = 2;                        ///< so many crashes of one key…
    unsigned among = 5;                          ///< …among the latest so many…
    Duration window = std::chrono::seconds(60);  ///< …within this time; 0 crashes: no quarantine
    Duration first = std::chrono::seconds(60);   ///< doubled each time it crashes again afterwards
    Duration longest = std::chrono::hours(1);
};

/// Decides which work is not given to nodes any more because it ends them. Only what ran on the
/// thread that crashed counts; what was in flight beside it is innocent.
class Quarantine {
  public:
    explicit Quarantine(QuarantineOptions options) : options_(options) {}

    struct Entry {
        std::uint64_t key = 0;
        std::string text;
        Instant until{};
        Duration term{};
    };
    /// A node crashed while this ran. The entry when that puts it into quarantine, else nullptr.
    const Entry* crashed(Instant now, std::uint64_t key, const std::string& text);
    /// Those that are in quarantine now. One whose time is up is let go, and is back at its next
    /// crash, for twice as long; one that kept still for its whole term again is forgotten.
    std::vector<Entry> active(Instant now);
    /// When `active` changes by itself; `Instant::max()` when it does not.
    Instant next_release(Instant now) const;
    void release_all();

  private:
    struct Crash {
        Instant at;
        std::uint64_t key;
    };
    QuarantineOptions options_;
    std::deque<Crash> recent_;
    std::vector<Entry> entries_;
};

}  // namespace bennu
