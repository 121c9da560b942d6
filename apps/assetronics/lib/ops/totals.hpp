#pragma once

#include "apps/assetronics/lib/ops/messages.hpp"
#include "bennu/runtime/insight/snapshot.hpp"

namespace assetronics::ops {

/// Shards, types, memory by kind and the resident size.
RuntimeTotals totals_of(const bennu::RuntimeSnapshot& snapshot);

}  // namespace assetronics::ops
