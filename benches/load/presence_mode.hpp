#pragma once

#include <string>

#include "benches/load/options.hpp"

namespace bench {

/// Guests in a hall (`guest:N` of the bench server enters `gN` into the presence of `hall`), ten on
/// each socket; then, at a rate, one goes and another comes. How long until each watcher of the
/// hall is told, counted from when the change was due. `swarm` holds the guests, and joins the
/// dialect's topic besides; ends with an exception when a watcher is not told of a change, or
/// twice.
std::string run_presence(const Options& options, Swarm& swarm);

}  // namespace bench
