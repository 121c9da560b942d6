#pragma once

#include <span>

#include "bennu/base/id.hpp"

namespace bennu {

/// The text of an id, in a place of the caller's.
void write_id(std::span<char, 36> to, const Id& id);

}  // namespace bennu
