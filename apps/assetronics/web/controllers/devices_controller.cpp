#include <algorithm>

#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"
#include "bennu/web/compress_responses.hpp"

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

Task<Result<Response>> show(Conn conn) {
    allow_query(conn, {});
    auto device = co_await require(devices::get(conn.scope<Scope>().tenant, conn.param<Id>("id")));
    co_return json_data(conn, 200, device);
}

struct EnrolParams {
    std::vector<devices::Enrolment> devices;
};
BENNU_RECORD(EnrolParams, devices)

struct Credentials {
    std::vector<devices::Credential> data;
};
BENNU_RECORD(Credentials, data)

Task<Result<Response>> enrol(Conn conn) {
    allow_query(conn, {});
    auto params = co_await require(from_json<EnrolParams>(json_object(conn)));
    auto made = co_await require(devices::enrol(conn.scope<Scope>(), std::move(params.devices)));
    Response response = json_text(conn, 201, to_json(Credentials{std::move(made)}));
    // Nobody between here and there keeps a secret, or learns of it by the length of the answer.
    leave_uncompressed(conn);
    response.headers.set("cache-control", "no-store");
    co_return response;
}

Task<Result<Response>> revoke(Conn conn) {
    allow_query(conn, {});
    co_await require(devices::revoke(conn.scope<Scope>(), conn.param<Id>("id")));
    co_return no_content(conn);
}

}  // namespace

void device_routes(RouteScope& api) {
    api.get("/devices", index);
    api.post("/devices/tokens", enrol);
    api.get("/devices/:id", show);
    api.delete_("/devices/:id/token", revoke);
}

}  // namespace assetronics::web
