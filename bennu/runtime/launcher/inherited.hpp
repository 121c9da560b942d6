#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bennu {

/// Descriptors handed from one program image to the next, numbered from 3 and named, as systemd's
/// socket activation does: LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID.
using NamedDescriptors = std::vector<std::pair<std::string, int>>;

/// What this process was handed; they stay closed to programs that it starts. Empty unless
/// LISTEN_PID is this process.
NamedDescriptors inherited_descriptors();
/// The one of that name, or -1.
int descriptor_of(const NamedDescriptors& all, std::string_view name);

/// Moves a descriptor clear of the numbers at which those are handed down; it stays closed to other
/// programs. -1 stays -1.
int out_of_the_way(int fd);

/// Puts them at 3, 4, … for the program that is executed next in this process, and says so in its
/// environment. Closes what was at those numbers.
void hand_down(const NamedDescriptors& descriptors);

}  // namespace bennu
