#pragma once

#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/simulation.hpp"
#include "bennu/runtime/simulation/observer.hpp"

namespace bennu::detail {

/// One simulated run: shards, network, clocks, faults.
class SimWorld {
  public:
    SimWorld(SimOptions options, std::uint32_t run);
    ~SimWorld();
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    /// The one that runs now, on this thread; null outside of a run.
    static SimWorld* current();
    SimOutcome run(Function<Task<Result<>>()> main);

    SimNetwork& network() { return network_; }
    FaultSource& faults() { return faults_; }

  private:
    bool round();
    bool move_on();
    bool strike(SimFault fault);
    bool kill_one(SimFault fault);
    std::string partition_one(const SimFault& fault);
    bool may_fail(const Process& process);
    static void before_allocation(std::size_t size);

    SimOptions options_;
    FaultSource faults_;
    SimNetwork network_;
    SimObserver observer_;
    std::unique_ptr<Runtime> runtime_;
    SimWorld* outer_;
    std::uint64_t rounds_ = 0;  ///< since time moved last
    bool hung_ = false;
    Pid struck_;      ///< the victim of the fault in progress
    Pid asked_last_;  ///< `may_fail` of the process that ran last
    bool last_may_fail_ = false;
};

}  // namespace bennu::detail
