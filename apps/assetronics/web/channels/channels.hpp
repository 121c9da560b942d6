#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/web/router.hpp"

namespace assetronics::web {

/// The socket at `/socket` with the channels of every tenant.
void mount_channels(bennu::RouteScope& scope, Repo repo);

}  // namespace assetronics::web
