#pragma once

#include "bennu/base/events.hpp"

namespace bennu {

/// Announced when messages to a full mailbox were dropped or refused: at the first, then at most
/// once a second for each process. Measurements: `count` (since the last announcement), `mailbox`
/// (its length). Metadata: `pid`, `type`, `overflow` (the policy).
extern constinit EventName overflow_event;

}  // namespace bennu
