#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "bennu/base/random.hpp"
#include "bennu/runtime/simulation/fault.hpp"

namespace bennu {

/// Says when a fault strikes: as drawn from a seed, or exactly those of a list. Keeps those that
/// struck, which as a list repeat the run. Each kind has a stream of random numbers of its own.
class FaultSource {
  public:
    FaultSource(std::uint64_t seed, FaultOptions options);
    explicit FaultSource(std::vector<SimFault> faults);

    /// When the next fault that strikes at a moment is due, since the start; Duration::max() when
    /// none is.
    Duration next_moment() const;
    /// Takes that fault.
    SimFault take_moment();
    /// Counts one write, job, allocation or message at time `now`; the fault that strikes it.
    std::optional<SimFault> step(FaultStep step, Duration now) {
        std::size_t index = static_cast<std::size_t>(step);
        if (++counts_[index] < next_step_[index]) [[likely]]
            return {};
        return take_step(step, now);
    }
    /// How many of them there were so far.
    std::uint64_t count(FaultStep step) const { return counts_[static_cast<std::size_t>(step)]; }

    /// Keeps a fault, with what it hit, and tells `on_strike`.
    void struck(SimFault fault, std::string hit);
    std::function<void(const SimFault&)> on_strike;
    /// Of which `simulate` of a test the faults are.
    std::uint32_t run = 0;
    const std::vector<SimFault>& struck() const { return struck_; }
    const FaultOptions& options() const { return options_; }

  private:
    struct Stream {
        Random random{0};
        double rate = 0;
        double last = 0;  ///< the moment in seconds, or the step, of the fault drawn last
    };
    std::optional<SimFault> take_step(FaultStep step, Duration now);
    void draw(FaultKind kind);
    void find_next_step(FaultStep step);
    std::deque<SimFault>& of(FaultKind kind) { return due_[static_cast<std::size_t>(kind)]; }

    FaultOptions options_;
    bool drawn_ = false;  ///< and not given as a list
    std::array<Stream, fault_kinds> streams_;
    std::array<std::deque<SimFault>, fault_kinds> due_;  ///< of each kind, the next ones in order
    std::array<std::uint64_t, fault_steps> counts_{};
    std::array<std::uint64_t, fault_steps> next_step_{};
    std::vector<SimFault> struck_;
};

}  // namespace bennu
