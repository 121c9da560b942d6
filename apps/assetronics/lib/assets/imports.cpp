#include <set>
#include <unordered_map>

#include "apps/assetronics/lib/assets/changes.hpp"

namespace assetronics::assets {

using namespace bennu;
using activity::Transaction;
using activity::TransactionType;

namespace {

using Outcome = Result<Imported>;

/// What an import is doing, within its transaction.
struct Import {
    Scope scope;
    std::vector<std::optional<Outcome>> outcomes;
    std::vector<Transaction> entries;
    std::vector<Asset> fresh;
    std::vector<std::size_t> fresh_rows;
};

std::string tag_of(const Json& row) {
    return row.get<std::string>("tag").value_or(std::string());
}

Task<Result<std::unordered_map<std::string, Asset>>> assets_by_tag(Scope scope,
                                                                   std::vector<Json>& rows) {
    std::vector<std::string> tags;
    tags.reserve(rows.size());
    for (const Json& row : rows) tags.push_back(tag_of(row));
    std::unordered_map<std::string, Asset> found;
    for (Asset& asset : co_await require(scope.repo.all(
             from<Asset>().for_tenant(scope.tenant).where(col(&Asset::tag).in(tags))))) {
        std::string tag = asset.tag;
        found.emplace(std::move(tag), std::move(asset));
    }
    co_return found;
}

Transaction import_entry(const Asset& asset, std::string_view what) {
    Transaction row = entry(TransactionType::import, asset);
    row.description = what;
    return row;
}

Task<Result<Outcome>> update_present(Import& work, Asset present, const Json& row) {
    Result<Changeset<Asset>> changes = changed_asset(present, row, Spelling::text);
    if (!changes) co_return Outcome(std::move(changes).error());
    if (!changes->valid()) co_return Outcome(Error::invalid(changes->errors()));
    if (!changes->changed()) co_return Outcome(Imported::unchanged);
    // The tag is what the row was found by, so that no constraint can break.
    Asset after = co_await require(work.scope.repo.update(*changes));
    Transaction noted = import_entry(after, "Updated by an import");
    noted.from_status = enum_name(present.status);
    work.entries.push_back(std::move(noted));
    co_return Outcome(Imported::updated);
}

Task<Result<>> insert_fresh(Import& work) {
    if (work.fresh.empty()) co_return Result<>();
    auto outcomes = co_await require(work.scope.repo.insert_each(std::move(work.fresh)));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        std::optional<Outcome>& outcome = work.outcomes[work.fresh_rows[i]];
        if (outcomes[i]) {
            work.entries.push_back(import_entry(*outcomes[i], "Created by an import"));
            outcome.emplace(Imported::created);
        } else {
            outcome.emplace(std::move(outcomes[i]).error());
        }
    }
    co_return Result<>();
}

Task<Result<>> import_all(Import& work, std::vector<Json>& rows) {
    auto present = co_await require(assets_by_tag(work.scope, rows));
    std::set<std::string> seen;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!rows[i].is_object()) {
            work.outcomes[i].emplace(Error(ErrorKind::invalid, "type", "must be an object"));
            continue;
        }
        const std::string tag = tag_of(rows[i]);
        if (!tag.empty() && !seen.insert(tag).second) {
            work.outcomes[i].emplace(
                Error::field("tag", "taken", "occurs more than once in the file"));
            continue;
        }
        if (auto found = present.find(tag); found != present.end()) {
            work.outcomes[i].emplace(
                co_await require(update_present(work, found->second, rows[i])));
            continue;
        }
        Result<Asset> made = new_asset(work.scope, rows[i], Spelling::text).apply();
        if (made) {
            work.fresh.push_back(*std::move(made));
            work.fresh_rows.push_back(i);
        } else {
            work.outcomes[i].emplace(std::move(made).error());
        }
    }
    co_await require(insert_fresh(work));
    work.entries = co_await require(activity::record(work.scope, std::move(work.entries)));
    co_return Result<>();
}

}  // namespace

Task<Result<std::vector<Outcome>>> import_rows(Scope scope, std::vector<Json> rows) {
    Import work;
    work.outcomes.resize(rows.size());
    Result<> done = co_await scope.repo.transaction(
        [&](Tx tx) -> Task<Result<>> {
            work.scope = scope.within(tx);
            co_return co_await import_all(work, rows);
        },
        chunk_deadline);
    if (!done) co_return std::move(done).error();
    std::vector<Outcome> outcomes;
    outcomes.reserve(rows.size());
    for (std::optional<Outcome>& each : work.outcomes) outcomes.push_back(*std::move(each));
    co_return outcomes;
}

}  // namespace assetronics::assets
