#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"

/// The people of a tenant, to whom assets are assigned.
namespace assetronics::employees {

enum class EmployeeStatus : std::uint8_t { active, on_leave, terminated };
BENNU_ENUM(EmployeeStatus, active, on_leave, terminated)

struct Employee {
    Id id;
    std::string tenant;
    std::string number;
    std::string name;
    std::string email;
    std::optional<std::string> title;
    std::optional<std::string> department;
    std::optional<std::string> location;
    EmployeeStatus status = EmployeeStatus::active;
    std::int64_t asset_count = 0;  ///< filled in by whoever asks `assets` for it; not stored
    Timestamp inserted_at;
    Timestamp updated_at;
};
BENNU_RECORD(Employee, id, tenant, number, name, email, title, department, location, status,
             asset_count, inserted_at, updated_at)
BENNU_SCHEMA(Employee)

/// What `employees:<tenant>` is told of one whose fields, or assets, are others now.
struct EmployeeUpdated {
    Public<Employee> employee;
};
BENNU_RECORD(EmployeeUpdated, employee)
/// Tells the viewers of `employees:<tenant>`: `employee_updated`. Call it after the commit, with
/// their `asset_count`.
void announce(const Scope& scope, const std::vector<Employee>& people);

/// A page of a list request's parameters: `q` searches name, email, number, department and title;
/// filters by field; by name unless `sort` says otherwise.
Task<Result<bennu::Page<Employee>>> list(Scope scope, bennu::QueryParams params);
Task<Result<Employee>> get(Scope scope, Id id);
/// Those of these that there are.
Task<Result<std::vector<Employee>>> of_ids(Scope scope, std::vector<Id> ids);
/// All or none.
Task<Result<std::vector<Employee>>> insert_all(Scope scope, std::vector<Employee> employees);

}  // namespace assetronics::employees
