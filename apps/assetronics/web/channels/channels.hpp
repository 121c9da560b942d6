#pragma once

#include "apps/assetronics/lib/ops/ops.hpp"
#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/channel/socket.hpp"
#include "bennu/web/router.hpp"

namespace assetronics::web {

/// The socket of pages and devices, at `/socket`, with a channel for each kind of topic.
bennu::SocketOptions socket_options(Repo repo, ops::Access access = {});
void mount_channels(bennu::RouteScope& scope, Repo repo, ops::Access access = {});

}  // namespace assetronics::web
