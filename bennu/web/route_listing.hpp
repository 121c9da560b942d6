#pragma once

#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu {

/// Whether a listing can have routes of that method (`RouteListing::method`): one that a route may
/// have, `SOCKET` or `FILES`, in any case. Error `invalid`, code `unknown_method`, which names all
/// of them: for the `routes` command, before it finds nothing.
Result<> check_listed_method(std::string_view method);

}  // namespace bennu
