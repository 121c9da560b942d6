#pragma once

#include "bennu/web/router.hpp"

namespace assetronics::web {

/// `/` leads to the demo company; every page under `/t/` is `index.html`; what the build made is
/// served from the root, hashed files for ever.
void page_routes(bennu::RouteScope& scope, bennu::StaticFiles pages);

}  // namespace assetronics::web
