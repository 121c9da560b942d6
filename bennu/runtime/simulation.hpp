#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bennu/base/function.hpp"
#include "bennu/runtime/reactor/sim_network.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu {

struct SimOptions {
    std::uint64_t seed = 1;
    unsigned shards = 2;
    SimFaults faults;
    /// Virtual time after which a run that has not ended counts as hung.
    Duration limit = std::chrono::hours(1);
};

struct SimOutcome {
    int status = 0;            ///< what `run` would have returned
    bool hung = false;         ///< nothing was left to do, or the limit passed, before main ended
    Duration virtual_time{};   ///< how long the run took on the virtual clock
    std::uint64_t digest = 0;  ///< of the schedule: equal seeds give equal digests
};

/// Runs a whole tree of processes on simulated shards in this thread: time is virtual, sockets live
/// in memory, and which shard runs next, how long bytes travel and when offloaded work is done
/// follow from the seed.
SimOutcome simulate(SimOptions options, Function<Task<Result<>>()> main);

/// The network of the simulation that runs now, to inject faults from inside a test; null outside
/// of one.
SimNetwork* simulated_network();

/// The seeds that a simulation test tries: the fixed ones, then fresh ones (`BENNU_SIM_SEED` picks
/// exactly one to replay a failure; `BENNU_SIM_SEEDS` says how many).
std::vector<std::uint64_t> simulation_seeds(std::size_t count = 20);

/// `BENNU_SIM_TEST(Suite, name, sim) { … }`: a GoogleTest that runs its body once for each seed,
/// with `sim` holding options to change and pass to `simulate`. A failure prints the seed and how
/// to replay it.
#define BENNU_SIM_TEST(suite, name, options)                                \
    static void bennu_sim_##suite##_##name(::bennu::SimOptions options);    \
    TEST(suite, name) {                                                     \
        for (std::uint64_t seed : ::bennu::simulation_seeds()) {            \
            SCOPED_TRACE("replay: BENNU_SIM_SEED=" + std::to_string(seed) + \
                         " <test> --gtest_filter=" #suite "." #name);       \
            bennu_sim_##suite##_##name(::bennu::SimOptions{.seed = seed});  \
            if (HasFailure()) return;                                       \
        }                                                                   \
    }                                                                       \
    static void bennu_sim_##suite##_##name(::bennu::SimOptions options)

}  // namespace bennu
