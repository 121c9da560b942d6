#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bennu {

/// For developers: the lines around an await point `file:line function`, numbered, the line itself
/// marked; none when the file cannot be read from here. Blocks for the time of reading a file.
std::vector<std::string> source_excerpt(std::string_view await_point);

}  // namespace bennu
