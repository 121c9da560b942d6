#include "apps/assetronics/web/channels/channels.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/pages.hpp"
#include "apps/assetronics/web/tenant_plug.hpp"
#include "apps/assetronics/web/web.hpp"
#include "bennu/web/plugs.hpp"

namespace assetronics::web {

using namespace bennu;

std::shared_ptr<Router> make_router(WebOptions options) {
    auto router = std::make_shared<Router>();
    router->plug(RequestIds{});
    router->plug(AccessLog{});
    router->plug(SecureHeaders{});

    health_routes(*router, options.ready);
    router->scope("/api/v1", [&](RouteScope& open) {
        open.get("/health", [](Conn conn) { return json(conn, Json::object({{"status", "ok"}})); },
                 {.log = LogLevel::off});
        open.scope("", {TenantPlug{options.repo}}, [](RouteScope& api) {
            asset_routes(api);
            employee_routes(api);
            activity_routes(api);
            summary_routes(api);
            import_routes(api);
            device_routes(api);
        });
    });
    mount_channels(*router, options.repo, std::move(options.ops));
    page_routes(*router, options.pages);
    return router;
}

}  // namespace assetronics::web
