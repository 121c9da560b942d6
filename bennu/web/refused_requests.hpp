#pragma once

#include "bennu/net/http_handler.hpp"
#include "bennu/web/parameter_filter.hpp"
#include "bennu/web/router.hpp"

namespace bennu::detail {

/// Tells telemetry and the log of a request that got to no pipeline, since the server answered it
/// itself. Lines are bounded on each shard: some at once, then a few a second, which say how many
/// were left out. Private to this area.
void note_refused(const net::RefusedRequest& request, const Router& router,
                  const ParameterFilter& filter);

}  // namespace bennu::detail
