#pragma once

#include <string>
#include <string_view>

#include "bennu/base/function.hpp"
#include "bennu/base/json.hpp"

namespace bennu {

/// Reads TOML 1.0 into a Json object; dates and times become text. `place` hears the path and line
/// of every key. A syntax error reads `file:line: what`.
Result<> read_toml(std::string_view text, std::string_view file_name, Json& tree,
                   Function<void(std::string path, unsigned line)> place);

}  // namespace bennu
