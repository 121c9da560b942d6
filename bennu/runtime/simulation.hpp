#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/runtime/reactor/sim_network.hpp"
#include "bennu/runtime/simulation/fault.hpp"
#include "bennu/runtime/simulation/trace.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

struct SimOptions {
    std::uint64_t seed = 1;
    unsigned shards = 2;
    SimNetworkOptions network = {};
    /// Virtual time after which a run that has not ended counts as hung.
    Duration limit = std::chrono::hours(1);
    /// So many turns without time moving on are an endless loop: hung as well.
    std::uint64_t max_rounds = 1'000'000;
    /// How often what goes wrong; nothing does unless asked for.
    FaultOptions faults = {};
    /// Exactly these faults in place of drawn ones; `faults.victim` still says who may be meant.
    std::optional<std::vector<SimFault>> plan = {};
    /// How many of the last events `SimOutcome::trace` keeps; 0: there is none.
    std::size_t trace = 0;
};

struct SimOutcome {
    int status = 0;           ///< what `run` would have returned
    bool hung = false;        ///< nothing was left to do, or the limit passed, before main ended
    Duration virtual_time{};  ///< how long the run took on the virtual clock
    std::uint64_t digest =
        0;  ///< of the schedule, deliveries and exits: equal seeds, equal digests
    std::vector<SimFault> faults =
        {};  ///< those that struck, in order; as a `plan` they repeat the run
    std::uint64_t allocations = 0;  ///< of the processes, counted when failed ones were asked for
    std::shared_ptr<const SimTrace> trace = {};
};

/// Runs a whole tree of processes on simulated shards in this thread: time is virtual, sockets live
/// in memory, and which shard runs next, how long bytes travel and when offloaded work is done
/// follow from the seed; so does what goes wrong.
SimOutcome simulate(SimOptions options, Function<Task<Result<>>()> main);

/// The network and clocks of the simulation that runs now, to inject faults from inside a test;
/// null outside of one.
SimNetwork* simulated_network();

/// The seeds that a simulation test tries: the fixed ones, then fresh ones (`BENNU_SIM_SEED` picks
/// exactly one to replay a failure; `BENNU_SIM_SEEDS` says how many).
std::vector<std::uint64_t> simulation_seeds(std::size_t count = 20);

}  // namespace bennu
