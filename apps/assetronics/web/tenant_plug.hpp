#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/web/plug.hpp"

namespace assetronics::web {

/// Assigns the request's Scope: the tenant that `X-Tenant-ID` names, or `demo`. Unknown: 404.
struct TenantPlug {
    Repo repo;
    Task<std::optional<bennu::Response>> before(bennu::Conn conn) const;
    static bool needs_body(const bennu::Conn&) { return false; }
};

}  // namespace assetronics::web
