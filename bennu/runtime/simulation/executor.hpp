#pragma once

#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/reactor/sim_network.hpp"

namespace bennu::detail {

/// An executor that runs its jobs in the simulation's thread, at seeded points of virtual time; one
/// job at a time per thread that it stands for.
std::unique_ptr<Executor> make_sim_executor(SimNetwork& network, ExecutorOptions options);

}  // namespace bennu::detail
