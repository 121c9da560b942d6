#include "apps/assetronics/lib/activity/activity.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

Task<Result<Response>> index(Conn conn) {
    allow_query(conn, {"limit"});
    const auto limit = conn.query<std::int64_t>("limit").value_or(50);
    if (limit < 1 || limit > 100) {
        co_return error(conn,
                        Error::field("limit", "out_of_range", "must be a number from 1 to 100"),
                        {.status = 400});
    }
    const PageRequest request{.page = 1, .page_size = limit};
    auto page = co_await require(activity::recent(conn.scope<Scope>(), request));
    co_return render_page(conn, page);
}

}  // namespace

void activity_routes(RouteScope& api) {
    api.get("/activity", index);
}

}  // namespace assetronics::web
