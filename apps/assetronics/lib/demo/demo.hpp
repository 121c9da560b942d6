#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"

/// An invented company: people, hardware and what happened to it, for a first look and for tests.
namespace assetronics::demo {

/// Makes the demo tenant with its people, assets and history, unless it has any. The same for equal
/// days, but for ids. Returns whether it did.
Task<Result<bool>> seed(Repo repo, Timestamp now);

struct SampleOptions {
    std::size_t rows = 5000;
    std::uint64_t seed = 7;
    /// Of them, rows with a mistake each, of different kinds.
    std::size_t bad_rows = 0;
};
/// An inventory export as another tool would write it. Equal options give equal bytes.
std::string sample_csv(const SampleOptions& options);

}  // namespace assetronics::demo
