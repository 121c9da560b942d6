#pragma once

#include <memory>

#include "bennu/pubsub/adapter.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/launcher/node.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::pubsub {

/// A child that joins this node to those beside it: from then on broadcasts go through the hub of
/// the launcher too, at most once, in the order of each publisher, and presence shows who is on any
/// of them. Without a hub (one worker) it starts nothing. `child.name` is the client's.
ChildSpec child_hub(HubAddress hub,
                    ChildOptions child = {.id = "pubsub_hub", .name = "pubsub_hub"});

}  // namespace bennu::pubsub
