#pragma once

#include <string>

#include "benches/load/options.hpp"

namespace bench {

/// A hall full of guests (as in `run_presence`), and one who comes late, again and again: how long
/// from the join of `hall` until the whole state is there. Before each join one guest goes and
/// another comes, so that the state has to be made anew; then the topic is left alone for longer
/// than changes are gathered. `swarm` holds the guests; ends with an exception when a state is not
/// whole.
std::string run_late_join(const Options& options, Swarm& swarm);

}  // namespace bench
