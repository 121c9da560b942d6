#pragma once

#include <filesystem>
#include <string>

#include "bennu/runtime/simulation/harness.hpp"

namespace bennu::detail {

/// The replay command with exactly these faults in place of those that the seed gives.
std::string with_faults(const SimFailure& failure, const std::vector<SimFault>& faults);

/// Where pages of failures go: `BENNU_SIM_PAGES`, or a folder in the build folder of this program.
std::filesystem::path failure_pages_folder();
/// As a person at the root of the source tree would name it.
std::string from_source_root(const std::filesystem::path& path);

}  // namespace bennu::detail
