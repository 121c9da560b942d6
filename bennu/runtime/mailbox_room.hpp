#pragma once

#include <cstdint>

namespace bennu {

/// How many more messages the running process's mailbox takes: who sends itself one that must not
/// be lost looks first, since a full mailbox drops it.
std::uint32_t mailbox_room();

}  // namespace bennu
