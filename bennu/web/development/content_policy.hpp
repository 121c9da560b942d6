#pragma once

#include <string>
#include <string_view>

namespace bennu {

/// A Content-Security-Policy that says what `policy` says, and lets a page load scripts of its own
/// site and connect to it. A sandbox stays one.
std::string allow_own_site(std::string_view policy);
/// The nonce that the policy names for scripts; empty when there is none.
std::string_view script_nonce(std::string_view policy);

}  // namespace bennu
