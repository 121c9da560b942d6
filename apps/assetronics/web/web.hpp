#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/assetronics/lib/ops/ops.hpp"
#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/web/health.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/router.hpp"

namespace assetronics::web {

struct WebOptions {
    Repo repo;
    std::shared_ptr<const bennu::ReadyFlag> ready = std::make_shared<bennu::ReadyFlag>();
    bennu::StaticFiles pages;
    ops::Access ops = {};
    std::vector<std::string> trusted_proxies = {};
    bennu::Duration hsts = bennu::TransportPolicy{}.max_age;  ///< zero: nothing is said
};

/// Every route of the product: API, sockets, health, pages.
std::shared_ptr<bennu::Router> make_router(WebOptions options);

/// The built pages: from a folder when one is named (development), else those inside the program.
/// Blocks.
bennu::Result<bennu::StaticFiles> load_pages(const std::string& folder);

}  // namespace assetronics::web
