#pragma once

#include <string>
#include <string_view>

#include "bennu/base/result.hpp"

namespace bennu {

/// Whether what went wrong is inside (kinds `internal` and `io`): nobody is told details.
bool is_internal(const Error& error);

/// Appends `{"field", "code", "message"}` to a JSON list that was begun: one for each field of the
/// error, or one with `message` for an error that names none. `first_members` (such as
/// `"index":3,`) goes first into each.
void append_error_entries(std::string& list, const Error& error, std::string_view message,
                          std::string_view first_members = {});

}  // namespace bennu
