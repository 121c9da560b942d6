#pragma once

#include <vector>

#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/lib/employees/employees.hpp"

// Private to this context.
namespace assetronics::demo {

struct Company {
    std::vector<employees::Employee> people;
    std::vector<assets::Asset> assets;
    std::vector<activity::Transaction> history;  ///< oldest first
};

/// People, hardware and its history up to `now`. The same for equal arguments.
Company invent_company(Timestamp now, std::uint64_t seed);

}  // namespace assetronics::demo
