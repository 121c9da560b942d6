#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/lib/employees/employees.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"

namespace assetronics::web {

using namespace bennu;
using employees::Employee;

namespace {

/// How many assets each of them has is the inventory's knowledge.
Task<Result<std::vector<Employee>>> with_counts(Scope scope, std::vector<Employee> people) {
    std::vector<Id> ids;
    for (const Employee& each : people) ids.push_back(each.id);
    auto counts = co_await require(assets::counts_of(std::move(scope), std::move(ids)));
    for (Employee& each : people) {
        if (auto found = counts.find(each.id); found != counts.end()) {
            each.asset_count = found->second;
        }
    }
    co_return people;
}

Task<Response> index(Conn conn) {
    QueryParams params = query_params(conn);
    const Shape shape(public_record<Employee>(), params);
    auto page = co_await employees::list(conn.scope<Scope>(), std::move(params));
    if (!page) co_return list_error(conn, page.error());
    auto counted = co_await with_counts(conn.scope<Scope>(), std::move(page->rows));
    if (!counted) co_return error(conn, counted.error());
    page->rows = *std::move(counted);
    co_return render_page(conn, *page, shape.record());
}

Task<Response> show(Conn conn) {
    allow_query(conn, {});
    auto employee = co_await employees::get(conn.scope<Scope>(), conn.param<Id>("id"));
    if (!employee) co_return error(conn, employee.error());
    auto counted = co_await with_counts(conn.scope<Scope>(), {*std::move(employee)});
    if (!counted) co_return error(conn, counted.error());
    co_return render(conn, 200, counted->front());
}

}  // namespace

void employee_routes(RouteScope& api) {
    api.get("/employees", index);
    api.get("/employees/:id", show);
}

}  // namespace assetronics::web
