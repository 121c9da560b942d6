#include "apps/assetronics/web/controllers/controllers.hpp"

namespace assetronics::web {

void device_routes(bennu::RouteScope&) {}

}  // namespace assetronics::web
