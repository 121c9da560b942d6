#include <algorithm>

#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

Task<Response> index(Conn conn) {
    const PageRequest request = page_params(conn);
    std::vector<devices::Device> all = co_await devices::list(conn.scope<Scope>().tenant);
    const auto total = static_cast<std::int64_t>(all.size());
    const std::int64_t first = std::min(total, (request.page - 1) * request.page_size);
    const std::int64_t end = std::min(total, first + request.page_size);
    Page<devices::Device> page{
        .total = total, .page = request.page, .page_size = request.page_size};
    page.rows.assign(std::make_move_iterator(all.begin() + first),
                     std::make_move_iterator(all.begin() + end));
    co_return render_page(conn, page, record_of<devices::Device>());
}

Task<Response> show(Conn conn) {
    allow_query(conn, {});
    auto device = co_await devices::get(conn.scope<Scope>().tenant, conn.param<Id>("id"));
    if (!device) co_return error(conn, device.error());
    co_return json_data(conn, 200, *device);
}

}  // namespace

void device_routes(RouteScope& api) {
    api.get("/devices", index);
    api.get("/devices/:id", show);
}

}  // namespace assetronics::web
