#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"

/// The ledger: what happened to the assets of a tenant, who did it, and when. Rows are only ever
/// added, in the database transaction of the change that they tell of.
namespace assetronics::activity {

enum class TransactionType : std::uint8_t {
    created,
    updated,
    deleted,
    assignment,
    return_,
    status_change,
    import,
};
BENNU_ENUM(TransactionType, created, updated, deleted, assignment, return_, status_change, import)

/// One row. Names and tags are copies, so that it stays true when the asset is renamed or gone.
struct Transaction {
    Id id;
    std::string tenant;
    TransactionType type = TransactionType::created;
    std::optional<Id> asset_id;
    std::optional<std::string> asset_tag;
    std::optional<std::string> asset_name;
    std::optional<Id> employee_id;
    std::optional<std::string> employee_name;
    std::optional<std::string> from_status;
    std::optional<std::string> to_status;
    std::optional<std::string> description;
    std::optional<std::string> performed_by;
    Timestamp performed_at;
};
BENNU_RECORD(Transaction, id, tenant, type, asset_id, asset_tag, asset_name, employee_id,
             employee_name, from_status, to_status, description, performed_by, performed_at)
BENNU_SCHEMA(Transaction)

/// What `activity:<tenant>` is told.
struct ActivityCreated {
    Public<Transaction> transaction;
};
BENNU_RECORD(ActivityCreated, transaction)

/// Adds rows. Tenant and id are filled in; so are `performed_by` and `performed_at` unless set.
/// Call it within the transaction of the change.
Task<Result<std::vector<Transaction>>> record(Scope scope, std::vector<Transaction> rows);
/// Tells the viewers of `activity:<tenant>`, the newest 50 of many: `activity_created`. Call it
/// after the commit.
void announce(const Scope& scope, const std::vector<Transaction>& rows);

/// Newest first.
Task<Result<bennu::Page<Transaction>>> recent(Scope scope, bennu::PageRequest page);
/// Of one asset, also after it was deleted. Newest first.
Task<Result<bennu::Page<Transaction>>> of_asset(Scope scope, Id asset_id, bennu::PageRequest page);

}  // namespace assetronics::activity
