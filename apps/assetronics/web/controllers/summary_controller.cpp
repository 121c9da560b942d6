#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

Task<Result<Response>> show(Conn conn) {
    allow_query(conn, {});
    Json data = to_json_value(co_await require(assets::summary(conn.scope<Scope>())));
    data.set("devices", to_json_value(co_await devices::count_lights(conn.scope<Scope>().tenant)));
    co_return json(conn, 200, Json::object({{"data", std::move(data)}}));
}

}  // namespace

void summary_routes(RouteScope& api) {
    api.get("/summary", show);
}

}  // namespace assetronics::web
