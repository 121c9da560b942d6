#pragma once

#include <cstdint>

namespace bennu::net {

/// Bytes of memory that this process holds (resident), as the kernel says; 0 when it does not.
std::uint64_t memory_in_use();

/// What the process's control group may hold, in bytes; 0: there is no limit. Reads a few files.
std::uint64_t control_group_memory();

}  // namespace bennu::net
