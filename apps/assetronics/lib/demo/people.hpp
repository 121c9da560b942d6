#pragma once

#include <vector>

#include "apps/assetronics/lib/employees/employees.hpp"
#include "bennu/base/random.hpp"

// Private to this context.
namespace assetronics::demo {

/// Sixty people: three have left, two are away.
std::vector<employees::Employee> invent_people(Timestamp now, bennu::Random& random);

}  // namespace assetronics::demo
