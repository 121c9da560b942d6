#pragma once

#include <array>
#include <string>
#include <string_view>

#include "bennu/base/keys.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu::phoenix {

/// Names one socket of one endpoint among all that share a secret: drawn at start.
using PollNode = std::array<char, 16>;
PollNode draw_poll_node();

/// What a client of long polling shows with each request: where its session is.
struct PollToken {
    PollNode node{};
    Pid session;
};

/// Sealed: nobody but the server reads or makes one.
std::string seal_poll_token(const KeyRing& keys, const PollToken& token, Timestamp now);
/// Error `unauthorized` for anything else, and for one that is older than two weeks.
Result<PollToken> open_poll_token(const KeyRing& keys, std::string_view text, Timestamp now);

}  // namespace bennu::phoenix
