#include "apps/assetronics/lib/employees/employees.hpp"

#include "bennu/base/ascii.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::employees {

using namespace bennu;

BENNU_DEFINE_SCHEMA(Employee, bennu::schema<Employee>("employees")
                                  .tenant(&Employee::tenant)
                                  .not_stored(&Employee::asset_count)
                                  .unique("employees_tenant_number",
                                          {&Employee::tenant, &Employee::number}, &Employee::number)
                                  .unique("employees_tenant_email",
                                          {&Employee::tenant, &Employee::email}, &Employee::email)
                                  .timestamps(&Employee::inserted_at, &Employee::updated_at))

namespace {

Fields<Employee> filterable() {
    return {&Employee::id,          &Employee::number,     &Employee::name,     &Employee::email,
            &Employee::title,       &Employee::department, &Employee::location, &Employee::status,
            &Employee::inserted_at, &Employee::updated_at};
}

Where<Employee> mentions(std::string_view text) {
    return col(&Employee::name).contains(text) || col(&Employee::email).contains(text) ||
           col(&Employee::number).contains(text) || col(&Employee::department).contains(text) ||
           col(&Employee::title).contains(text);
}

}  // namespace

Task<Result<Page<Employee>>> list(Scope scope, QueryParams params) {
    Result<ListRequest<Employee>> request =
        parse_filters<Employee>(params, filterable(), {.other = {"q"}});
    if (!request) co_return std::move(request).error();
    Query<Employee> query = std::move(request->query).for_tenant(scope.tenant);
    for (const auto& [key, value] : params) {
        if (key == "q" && !trim(value).empty())
            query = std::move(query).where(mentions(trim(value)));
    }
    if (query.state().order.empty()) query = std::move(query).order_by(asc(&Employee::name));
    co_return co_await page(scope.repo, std::move(query), request->page);
}

Task<Result<Employee>> get(Scope scope, Id id) {
    co_return co_await scope.repo.get<Employee>(scope.tenant, id);
}

Task<Result<std::vector<Employee>>> of_ids(Scope scope, std::vector<Id> ids) {
    co_return co_await scope.repo.all(
        from<Employee>().for_tenant(scope.tenant).where(col(&Employee::id).in(ids)));
}

void announce(const Scope& scope, const std::vector<Employee>& people) {
    for (const Employee& each : people) {
        pubsub::broadcast(scope.topic("employees"), "employee_updated", EmployeeUpdated{{each}});
    }
}

Task<Result<std::vector<Employee>>> insert_all(Scope scope, std::vector<Employee> employees) {
    for (Employee& employee : employees) employee.tenant = scope.tenant;
    co_return co_await scope.repo.insert_all(std::move(employees));
}

}  // namespace assetronics::employees
