#include "apps/assetronics/web/controllers/controllers.hpp"

namespace assetronics::web {

void import_routes(bennu::RouteScope&) {}

}  // namespace assetronics::web
