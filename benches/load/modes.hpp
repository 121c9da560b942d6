#pragma once

#include <string>

#include "benches/load/options.hpp"

namespace bench {

/// Runs the mode against the server and returns what was measured, as one JSON object. Throws when
/// anything is missing: a socket that does not join, a delivery that does not come.
std::string run_mode(const Options& options);

}  // namespace bench
