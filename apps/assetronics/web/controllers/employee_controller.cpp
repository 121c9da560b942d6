#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/lib/employees/employees.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"

namespace assetronics::web {

using namespace bennu;
using employees::Employee;

namespace {

Task<Response> index(Conn conn) {
    QueryParams params = query_params(conn);
    const Shape shape(public_record<Employee>(), params);
    auto page = co_await employees::list(conn.scope<Scope>(), std::move(params));
    if (!page) co_return list_error(conn, page.error());
    auto counted = co_await assets::with_counts(conn.scope<Scope>(), std::move(page->rows));
    if (!counted) co_return error(conn, counted.error());
    page->rows = *std::move(counted);
    co_return render_page(conn, *page, shape.record());
}

Task<Result<Response>> show(Conn conn) {
    allow_query(conn, {});
    const Scope& scope = conn.scope<Scope>();
    auto employee = co_await require(employees::get(scope, conn.param<Id>("id")));
    auto counted = co_await require(assets::with_counts(scope, {std::move(employee)}));
    co_return render(conn, 200, counted.front());
}

}  // namespace

void employee_routes(RouteScope& api) {
    api.get("/employees", index);
    api.get("/employees/:id", show);
}

}  // namespace assetronics::web
