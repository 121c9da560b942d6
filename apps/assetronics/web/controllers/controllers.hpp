#pragma once

#include "bennu/web/router.hpp"

/// The routes of each part of the API, below `/api/v1`. Requests have a Scope by then:
/// `conn.scope<Scope>()`.
namespace assetronics::web {

void asset_routes(bennu::RouteScope& api);
void employee_routes(bennu::RouteScope& api);
void activity_routes(bennu::RouteScope& api);
void summary_routes(bennu::RouteScope& api);
void import_routes(bennu::RouteScope& api);
void device_routes(bennu::RouteScope& api);

}  // namespace assetronics::web
