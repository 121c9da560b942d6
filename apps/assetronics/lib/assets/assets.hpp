#pragma once

#include <map>

#include "apps/assetronics/lib/activity/activity.hpp"
#include "apps/assetronics/lib/employees/employees.hpp"
#include "apps/assetronics/lib/tenants/tenants.hpp"

/// The inventory of a tenant. Every change writes its ledger row in the same database transaction
/// and, once committed, is broadcast on `assets:<tenant>` and `activity:<tenant>`.
namespace assetronics::assets {

enum class Category : std::uint8_t {
    laptop,
    desktop,
    monitor,
    phone,
    tablet,
    peripheral,
    server,
    network_equipment,
    other,
};
BENNU_ENUM(Category, laptop, desktop, monitor, phone, tablet, peripheral, server, network_equipment,
           other)

enum class AssetStatus : std::uint8_t {
    on_order,
    in_stock,
    assigned,
    in_transit,
    in_repair,
    retired,
    lost,
    stolen,
};
BENNU_ENUM(AssetStatus, on_order, in_stock, assigned, in_transit, in_repair, retired, lost, stolen)

enum class Condition : std::uint8_t { new_, good, fair, poor, damaged };
BENNU_ENUM(Condition, new_, good, fair, poor, damaged)

enum class AssignmentType : std::uint8_t { permanent, temporary, loaner };
BENNU_ENUM(AssignmentType, permanent, temporary, loaner)

struct Asset {
    Id id;
    std::string tenant;
    std::string tag;
    std::string name;
    std::optional<std::string> description;
    Category category = Category::other;
    AssetStatus status = AssetStatus::in_stock;
    Condition condition = Condition::good;
    std::optional<std::string> make;
    std::optional<std::string> model;
    std::optional<std::string> serial;
    std::optional<bennu::Date> purchase_date;
    std::optional<bennu::Money> cost;
    std::optional<std::string> vendor;
    std::optional<std::string> location;
    std::optional<bennu::Date> warranty_end;
    std::optional<Id> employee_id;
    std::optional<std::string> employee_name;  ///< a copy, so that lists can search and sort by it
    std::optional<Timestamp> assigned_at;
    std::optional<AssignmentType> assignment_type;
    std::optional<bennu::Date> expected_return;
    std::optional<std::string> notes;
    Timestamp inserted_at;
    Timestamp updated_at;
    std::string search;  ///< what `q` looks in, kept by this context
};
BENNU_RECORD(Asset, id, tenant, tag, name, description, category, status, condition, make, model,
             serial, purchase_date, cost, vendor, location, warranty_end, employee_id,
             employee_name, assigned_at, assignment_type, expected_return, notes, inserted_at,
             updated_at, search)
BENNU_SCHEMA(Asset)

// What `assets:<tenant>` is told.

/// `asset_created`, `asset_updated`
struct AssetChanged {
    Public<Asset> asset;
};
BENNU_RECORD(AssetChanged, asset)
/// `asset_assigned`, `asset_returned`
struct AssetHandedOver {
    Public<Asset> asset;
    Public<activity::Transaction> transaction;
};
BENNU_RECORD(AssetHandedOver, asset, transaction)
/// `asset_deleted`
struct AssetDeleted {
    Id id;
};
BENNU_RECORD(AssetDeleted, id)
/// `assets_imported`: so many were created or changed at once.
struct AssetsImported {
    std::int64_t count = 0;
};
BENNU_RECORD(AssetsImported, count)

/// The names of the fields that create, update and import accept.
const std::vector<std::string_view>& editable_fields();

// One asset. `params` is what a client sent, not trusted; errors name each field.

/// A page of a list request's parameters: `q` and filters by field; by tag unless `sort` says
/// otherwise.
Task<Result<bennu::Page<Asset>>> list(Scope scope, bennu::QueryParams params);
Task<Result<Asset>> get(Scope scope, Id id);
Task<Result<Asset>> create(Scope scope, Json params);
/// A status is refused with `conflict`, code `assigned`, while somebody has the asset (but for lost
/// and stolen).
Task<Result<Asset>> update(Scope scope, Id id, Json params);
Task<Result<>> remove(Scope scope, Id id);
/// `{"employee_id", "assignment_type"?, "expected_return"?, "notes"?}`. `conflict` with code
/// `already_assigned` or `not_assignable`; of two at once one wins.
Task<Result<Asset>> assign(Scope scope, Id id, Json params);
/// `{"condition"?, "notes"?}`. `conflict` with code `not_assigned`.
Task<Result<Asset>> give_back(Scope scope, Id id, Json params);

// Many assets, in chunks of 1,000, each a transaction: items that fail leave the others alone.

/// What is wrong with one item.
struct ItemError {
    std::size_t index;
    bennu::Error error;
};
struct Batch {
    std::vector<Asset> done;
    std::vector<ItemError> failed;
};
Task<Result<Batch>> create_all(Scope scope, Json::Array items);
/// Items with an `id` beside their fields.
Task<Result<Batch>> update_all(Scope scope, Json::Array items);
/// `done` holds the assets as they were.
Task<Result<Batch>> remove_all(Scope scope, std::vector<Id> ids);

/// What an import made of a row.
enum class Imported : std::uint8_t { created, updated, unchanged };
/// Creates or updates assets by tag, at most 1,000 rows, in one transaction (which may be part of
/// the caller's). A row is an object of editable fields, text allowed for every scalar. One outcome
/// for each row, in order; a row that fails changes nothing. Announces nothing: the caller
/// broadcasts `assets_imported` {"count"} once it has committed.
Task<Result<std::vector<Result<Imported>>>> import_rows(Scope scope, std::vector<Json> rows);

// Numbers.

struct Summary {
    std::int64_t total = 0;
    bennu::Money value;
    Json by_status;    ///< every status, 0 included
    Json by_category;  ///< every category, 0 included
};
BENNU_RECORD(Summary, total, value, by_status, by_category)
Task<Result<Summary>> summary(Scope scope);
/// How many assets each of these people has; those with none are left out.
Task<Result<std::map<Id, std::int64_t>>> counts_of(Scope scope, std::vector<Id> employees);
/// The same people with their `asset_count`.
Task<Result<std::vector<employees::Employee>>> with_counts(Scope scope,
                                                           std::vector<employees::Employee> people);

/// For seeds: assets and their history as they are given, without events.
Task<Result<>> load(Scope scope, std::vector<Asset> assets,
                    std::vector<activity::Transaction> history);

}  // namespace assetronics::assets
