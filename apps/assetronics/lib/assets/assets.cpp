#include "apps/assetronics/lib/assets/assets.hpp"

#include "apps/assetronics/lib/assets/changes.hpp"
#include "bennu/base/ascii.hpp"

namespace assetronics::assets {

using namespace bennu;
using activity::Transaction;
using activity::TransactionType;

BENNU_DEFINE_SCHEMA(Asset,
                    bennu::schema<Asset>("assets")
                        .tenant(&Asset::tenant)
                        .unique("assets_tenant_tag", {&Asset::tenant, &Asset::tag}, &Asset::tag)
                        .check("assets_cost_not_negative", &Asset::cost, "must not be negative",
                               "out_of_range")
                        .references(&Asset::employee_id, "employees")
                        .timestamps(&Asset::inserted_at, &Asset::updated_at))

namespace {

Fields<Asset> filterable() {
    return editable().with({&Asset::id, &Asset::employee_id, &Asset::employee_name,
                            &Asset::assigned_at, &Asset::inserted_at, &Asset::updated_at});
}

constexpr std::size_t longest_search = 200;

/// Every word must occur somewhere.
Query<Asset> searched(Query<Asset> query, std::string_view text) {
    while (!(text = trim(text)).empty()) {
        std::size_t length = 0;
        while (length < text.size() && !is_ascii_space(text[length])) ++length;
        query = std::move(query).where(col(&Asset::search).contains(text.substr(0, length)));
        text.remove_prefix(length);
    }
    return query;
}

}  // namespace

Task<Result<Page<Asset>>> list(Scope scope, QueryParams params) {
    Result<ListRequest<Asset>> request =
        parse_filters<Asset>(params, filterable(), {.other = {"q"}});
    if (!request) co_return std::move(request).error();
    Query<Asset> query = std::move(request->query).for_tenant(scope.tenant);
    for (const auto& [key, value] : params) {
        if (key != "q") continue;
        if (value.size() > longest_search) {
            co_return Error::field("q", "too_long", "must have at most 200 bytes");
        }
        query = searched(std::move(query), value);
    }
    if (query.state().order.empty()) query = std::move(query).order_by(asc(&Asset::tag));
    co_return co_await page(scope.repo, std::move(query), request->page);
}

Task<Result<Asset>> get(Scope scope, Id id) {
    co_return co_await scope.repo.get<Asset>(scope.tenant, id);
}

Task<Result<Asset>> create(Scope scope, Json params) {
    Result<Asset> asset = new_asset(scope, params).apply();
    if (!asset) co_return std::move(asset).error();
    Result<Change> done = co_await scope.repo.transaction([&](Tx tx) -> Task<Result<Change>> {
        Asset made = co_await require(tx.insert(*asset));
        auto entries = co_await require(
            activity::record(scope.within(tx), {entry(TransactionType::created, made)}));
        co_return Change{std::move(made), std::move(entries.front())};
    });
    if (!done) co_return std::move(done).error();
    announce(scope, "asset_created", *done);
    co_return std::move(done->asset);
}

Task<Result<Asset>> update(Scope scope, Id id, Json params) {
    bool changed = false;
    Result<Change> done = co_await scope.repo.transaction([&](Tx tx) -> Task<Result<Change>> {
        Asset before = co_await require(tx.get<Asset>(scope.tenant, id));
        Changeset<Asset> changes = co_await require(changed_asset(before, params));
        changed = changes.changed();
        Asset after = co_await require(tx.update(changes));
        if (!changed) co_return Change{std::move(after), {}};
        auto entries =
            co_await require(activity::record(scope.within(tx), {update_entry(before, changes)}));
        co_return Change{std::move(after), std::move(entries.front())};
    });
    if (!done) co_return std::move(done).error();
    if (changed) announce(scope, "asset_updated", *done);
    co_return std::move(done->asset);
}

Task<Result<>> remove(Scope scope, Id id) {
    Result<Change> done = co_await scope.repo.transaction([&](Tx tx) -> Task<Result<Change>> {
        Asset asset = co_await require(tx.get<Asset>(scope.tenant, id));
        co_await require(tx.remove(asset));
        Transaction row = entry(TransactionType::deleted, asset);
        row.from_status = std::exchange(row.to_status, std::nullopt);
        auto entries = co_await require(activity::record(scope.within(tx), {std::move(row)}));
        co_return Change{std::move(asset), std::move(entries.front())};
    });
    if (!done) co_return std::move(done).error();
    announce(scope, "asset_deleted", *done);
    co_await announce_holders(scope, {*done});
    co_return Result<>();
}

Task<Result<>> load(Scope scope, std::vector<Asset> assets, std::vector<Transaction> history) {
    for (Asset& asset : assets) {
        asset.tenant = scope.tenant;
        asset.search = search_text(asset);
    }
    const std::vector<Asset> given = assets;
    co_return co_await scope.repo.transaction(
        [&](Tx tx) -> Task<Result<>> {
            co_await require(tx.insert_all(std::move(assets)));
            // Inserting stamps the present.
            for (const Asset& asset : given) {
                co_await require(
                    tx.execute(sql("update assets set inserted_at = ?, updated_at = ? where id = ?",
                                   asset.inserted_at, asset.updated_at, asset.id)));
            }
            co_await require(activity::record(scope.within(tx), std::move(history)));
            co_return Result<>();
        },
        chunk_deadline);
}

}  // namespace assetronics::assets
