#include "apps/assetronics/lib/assets/changes.hpp"
#include "apps/assetronics/lib/employees/employees.hpp"

namespace assetronics::assets {

using namespace bennu;
using activity::Transaction;
using activity::TransactionType;

/// What a client may say when it assigns an asset; outside of the anonymous namespace because
/// records are found by their namespace.
struct AssignParams {
    Id employee_id;
    std::optional<AssignmentType> assignment_type;
    std::optional<Date> expected_return;
    std::optional<std::string> notes;
};
BENNU_RECORD(AssignParams, employee_id, assignment_type, expected_return, notes)

struct ReturnParams {
    std::optional<Condition> condition;
    std::optional<std::string> notes;
};
BENNU_RECORD(ReturnParams, condition, notes)

namespace {

Result<> check_notes(const std::optional<std::string>& notes) {
    if (notes && notes->size() > 2000) {
        return Error::field("notes", "too_long", "must have at most 2000 characters");
    }
    return {};
}

Result<employees::Employee> assignable_to(Result<employees::Employee> employee) {
    if (!employee) {
        if (employee.error().kind() != ErrorKind::not_found) return std::move(employee).error();
        return Error::field("employee_id", "not_found", "is no employee");
    }
    if (employee->status == employees::EmployeeStatus::terminated) {
        return Error::field("employee_id", "terminated", "has left the company");
    }
    return employee;
}

Result<> assignable(const Asset& asset) {
    using enum AssetStatus;
    if (asset.status == retired || asset.status == lost || asset.status == stolen) {
        return Error(ErrorKind::conflict, "not_assignable",
                     "An asset that is retired, lost or stolen cannot be assigned.");
    }
    return {};
}

Error already_assigned() {
    return Error(ErrorKind::conflict, "already_assigned", "The asset is assigned to somebody.");
}
Error not_assigned() {
    return Error(ErrorKind::conflict, "not_assigned", "The asset is assigned to nobody.");
}

Query<Asset> row_of(const Asset& asset) {
    return from<Asset>().for_tenant(asset.tenant).where(col(&Asset::id) == asset.id);
}

/// Writes the outcome of an assignment only if the row is still as it was read: of two at once, on
/// whatever engine, one finds nothing to change.
Task<Result<bool>> write_holder(Tx tx, Query<Asset> row, Asset asset) {
    Result<std::int64_t> rows = co_await tx.update_all(
        std::move(row), set(&Asset::status, asset.status)
                            .set(&Asset::condition, asset.condition)
                            .set(&Asset::employee_id, asset.employee_id)
                            .set(&Asset::employee_name, asset.employee_name)
                            .set(&Asset::assigned_at, asset.assigned_at)
                            .set(&Asset::assignment_type, asset.assignment_type)
                            .set(&Asset::expected_return, asset.expected_return)
                            .set(&Asset::search, asset.search)
                            .set(&Asset::updated_at, asset.updated_at));
    if (!rows) co_return std::move(rows).error();
    co_return *rows == 1;
}

}  // namespace

Task<Result<Asset>> assign(Scope scope, Id id, Json params) {
    Result<AssignParams> given = from_json<AssignParams>(params);
    if (!given) co_return std::move(given).error();
    if (Result<> notes = check_notes(given->notes); !notes) co_return std::move(notes).error();
    Result<Change> done = co_await scope.repo.transaction([&](Tx tx) -> Task<Result<Change>> {
        Asset asset = co_await require(tx.get<Asset>(scope.tenant, id));
        co_await require(assignable(asset));
        if (asset.employee_id) co_return already_assigned();
        employees::Employee employee = co_await require(
            assignable_to(co_await employees::get(scope.within(tx), given->employee_id)));
        const AssetStatus before = asset.status;
        asset.status = AssetStatus::assigned;
        asset.employee_id = employee.id;
        asset.employee_name = employee.name;
        asset.assigned_at = asset.updated_at = wall_now();
        asset.assignment_type = given->assignment_type.value_or(AssignmentType::permanent);
        asset.expected_return = given->expected_return;
        asset.search = search_text(asset);
        bool won = co_await require(
            write_holder(tx, row_of(asset).where(col(&Asset::employee_id).is_null()), asset));
        if (!won) co_return already_assigned();
        Transaction row = entry(TransactionType::assignment, asset);
        row.from_status = enum_name(before);
        row.description = given->notes;
        auto entries = co_await require(activity::record(scope.within(tx), {std::move(row)}));
        co_return Change{std::move(asset), std::move(entries.front())};
    });
    if (!done) co_return std::move(done).error();
    announce(scope, "asset_assigned", *done);
    co_await announce_holders(scope, {*done});
    co_return std::move(done->asset);
}

Task<Result<Asset>> give_back(Scope scope, Id id, Json params) {
    Result<ReturnParams> given = from_json<ReturnParams>(params);
    if (!given) co_return std::move(given).error();
    if (Result<> notes = check_notes(given->notes); !notes) co_return std::move(notes).error();
    Result<Change> done = co_await scope.repo.transaction([&](Tx tx) -> Task<Result<Change>> {
        Asset asset = co_await require(tx.get<Asset>(scope.tenant, id));
        if (!asset.employee_id) co_return not_assigned();
        Transaction row = entry(TransactionType::return_, asset);
        row.from_status = enum_name(asset.status);
        row.to_status = enum_name(AssetStatus::in_stock);
        row.description = given->notes;
        const Id holder = *asset.employee_id;
        asset.status = AssetStatus::in_stock;
        asset.condition = given->condition.value_or(asset.condition);
        asset.employee_id.reset();
        asset.employee_name.reset();
        asset.assigned_at.reset();
        asset.assignment_type.reset();
        asset.expected_return.reset();
        asset.updated_at = wall_now();
        asset.search = search_text(asset);
        bool won = co_await require(
            write_holder(tx, row_of(asset).where(col(&Asset::employee_id) == holder), asset));
        if (!won) co_return not_assigned();
        auto entries = co_await require(activity::record(scope.within(tx), {std::move(row)}));
        co_return Change{std::move(asset), std::move(entries.front())};
    });
    if (!done) co_return std::move(done).error();
    announce(scope, "asset_returned", *done);
    co_await announce_holders(scope, {*done});
    co_return std::move(done->asset);
}

}  // namespace assetronics::assets
