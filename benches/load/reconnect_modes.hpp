#pragma once

#include <string>

#include "benches/load/options.hpp"

namespace bench {

/// All sockets join, and say so with a line; the line that answers is the process id of the server
/// that was started again, and all of them come back at once.
std::string run_storm(const Options& options, Swarm& swarm);

/// Sockets that join and go, half of them with a goodbye of TCP and half without, until so many
/// have come.
std::string run_churn(const Options& options, Swarm& swarm);

}  // namespace bench
