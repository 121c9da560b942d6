#pragma once

#include <string>

#include "apps/assetronics/lib/ops/ops.hpp"
#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/channel/socket.hpp"
#include "bennu/web/router.hpp"

namespace assetronics::web {

/// The socket of pages and devices, at `/socket`, with a channel for each kind of topic.
bennu::SocketOptions socket_options(Repo repo, ops::Access access = {});
/// The TypeScript of what these channels say and hear: `assets/src/channels.ts`.
std::string channel_types();
void mount_channels(bennu::RouteScope& scope, Repo repo, ops::Access access = {});

}  // namespace assetronics::web
