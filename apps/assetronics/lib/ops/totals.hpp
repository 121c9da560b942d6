#pragma once

#include <string>

#include "bennu/runtime/insight/snapshot.hpp"

namespace assetronics::ops {

/// Shards, types, memory by kind and the resident size, as JSON.
std::string totals_json(const bennu::RuntimeSnapshot& snapshot);

}  // namespace assetronics::ops
