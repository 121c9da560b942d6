#include "apps/assetronics/web/channels/channels.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/pages.hpp"
#include "apps/assetronics/web/tenant_plug.hpp"
#include "apps/assetronics/web/web.hpp"
#include "bennu/web/compress_responses.hpp"
#include "bennu/web/development/live_reload.hpp"
#include "bennu/web/plugs.hpp"
#include "bennu/web/protect/forgery.hpp"
#include "bennu/web/protect/trusted_proxies.hpp"

namespace assetronics::web {

using namespace bennu;

std::shared_ptr<Router> make_router(WebOptions options) {
    auto router = std::make_shared<Router>();
    if (!options.trusted_proxies.empty())
        router->plug(TrustedProxies(std::move(options.trusted_proxies)));
    router->plug(LiveReload{});
    router->plug(RequestIds{});
    router->plug(AccessLog{});
    router->plug(SecureHeaders({}, {.max_age = options.hsts}));
    // Last, so that the log above counts what is sent. Pages come compressed from the program.
    router->plug(CompressResponses{});

    health_routes(*router, options.ready);
    // Nobody signs in: what a visitor's browser may, a stranger's page must not make it do.
    const ProtectFromForgery no_strangers({.token = ForgeryOptions::Token::never});
    router->scope("/api/v1", {no_strangers}, [&](RouteScope& open) {
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
