#pragma once

#include <cstddef>
#include <string_view>

namespace bennu {

/// The first bytes of what a client sent, for a log line or a message: at most so many, cut where a
/// character ends. Of ill-formed UTF-8 that is too long: what is before it.
std::string_view excerpt(std::string_view text, std::size_t most = 200);

}  // namespace bennu
