#include <span>
#include <unordered_map>

#include "apps/assetronics/lib/assets/changes.hpp"

namespace assetronics::assets {

using namespace bennu;
using activity::Transaction;
using activity::TransactionType;

namespace {

/// What became of one chunk.
struct Chunk {
    std::vector<Change> changes;
    std::vector<Asset> untouched;  ///< good, but nothing to write
    std::vector<ItemError> failed;
};

Error not_an_object() {
    return Error(ErrorKind::invalid, "type", "must be an object");
}
Error no_such_asset() {
    return Error::field("id", "not_found", "is no asset");
}

/// Records a ledger row for every change, and gives each its row back.
Task<Result<>> note_changes(Scope scope, std::vector<Change>& changes) {
    std::vector<Transaction> rows;
    rows.reserve(changes.size());
    for (Change& change : changes) rows.push_back(std::move(change.entry));
    rows = co_await require(activity::record(scope, std::move(rows)));
    for (std::size_t i = 0; i < rows.size(); ++i) changes[i].entry = std::move(rows[i]);
    co_return Result<>();
}

Task<Result<std::unordered_map<Id, Asset>>> assets_by_id(Scope scope, std::vector<Id> ids) {
    std::unordered_map<Id, Asset> found;
    for (Asset& asset : co_await require(scope.repo.all(
             from<Asset>().for_tenant(scope.tenant).where(col(&Asset::id).in(ids))))) {
        const Id id = asset.id;
        found.emplace(id, std::move(asset));
    }
    co_return found;
}

Task<Result<Chunk>> create_chunk(Scope scope, std::span<const Json> items, std::size_t offset) {
    Chunk chunk;
    std::vector<Asset> valid;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < items.size(); ++i) {
        Result<Asset> asset = items[i].is_object() ? new_asset(scope, items[i]).apply()
                                                   : Result<Asset>(not_an_object());
        if (asset) {
            valid.push_back(*std::move(asset));
            places.push_back(offset + i);
        } else {
            chunk.failed.push_back({offset + i, std::move(asset).error()});
        }
    }
    if (valid.empty()) co_return chunk;
    auto outcomes = co_await require(scope.repo.insert_each(std::move(valid)));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i]) {
            Transaction row = entry(TransactionType::created, *outcomes[i]);
            chunk.changes.push_back({*std::move(outcomes[i]), std::move(row)});
        } else {
            chunk.failed.push_back({places[i], std::move(outcomes[i]).error()});
        }
    }
    co_await require(note_changes(scope, chunk.changes));
    co_return chunk;
}

/// The id of an item of an update, and the item without it.
Result<std::pair<Id, Json>> split_id(const Json& item) {
    if (!item.is_object()) return not_an_object();
    const Json* text = item.find("id");
    if (!text) return Error::field("id", "required", "is required");
    if (!text->is_string()) return Error::field("id", "type", "must be text");
    Result<Id> id = parse_id(text->as_string());
    if (!id) return Error::field("id", "invalid", "is no id");
    Json fields = item;
    fields.erase("id");
    return std::pair(*id, std::move(fields));
}

Task<Result<Chunk>> update_chunk(Scope scope, std::span<const Json> items, std::size_t offset) {
    Chunk chunk;
    std::vector<Id> ids;
    for (const Json& item : items) {
        if (auto split = split_id(item)) ids.push_back(split->first);
    }
    auto present = co_await require(assets_by_id(scope, std::move(ids)));
    for (std::size_t i = 0; i < items.size(); ++i) {
        Result<std::pair<Id, Json>> split = split_id(items[i]);
        const auto fail = [&](Error error) {
            chunk.failed.push_back({offset + i, std::move(error)});
        };
        if (!split) {
            fail(std::move(split).error());
            continue;
        }
        auto found = present.find(split->first);
        if (found == present.end()) {
            fail(no_such_asset());
            continue;
        }
        Result<Changeset<Asset>> changes = changed_asset(found->second, split->second);
        if (!changes || !changes->valid()) {
            fail(changes ? Error::invalid(changes->errors()) : std::move(changes).error());
            continue;
        }
        if (!changes->changed()) {
            chunk.untouched.push_back(found->second);
            continue;
        }
        // A savepoint: a tag that is taken must not spoil the chunk.
        Result<Asset> after = co_await scope.repo.transaction(
            [&](Tx tx) -> Task<Result<Asset>> { co_return co_await tx.update(*changes); },
            chunk_deadline);
        if (!after) {
            if (after.error().fields().empty()) co_return std::move(after).error();
            fail(std::move(after).error());
            continue;
        }
        chunk.changes.push_back({*after, update_entry(found->second, *changes)});
        found->second = *std::move(after);
    }
    co_await require(note_changes(scope, chunk.changes));
    co_return chunk;
}

Task<Result<Chunk>> remove_chunk(Scope scope, std::span<const Id> ids, std::size_t offset) {
    Chunk chunk;
    auto present = co_await require(assets_by_id(scope, {ids.begin(), ids.end()}));
    std::vector<Id> gone;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        auto found = present.find(ids[i]);
        if (found == present.end()) {
            chunk.failed.push_back({offset + i, no_such_asset()});
            continue;
        }
        Transaction row = entry(TransactionType::deleted, found->second);
        row.from_status = std::exchange(row.to_status, std::nullopt);
        chunk.changes.push_back({std::move(found->second), std::move(row)});
        gone.push_back(ids[i]);
        present.erase(found);
    }
    co_await require(scope.repo.remove_all(
        from<Asset>().for_tenant(scope.tenant).where(col(&Asset::id).in(gone))));
    co_await require(note_changes(scope, chunk.changes));
    co_return chunk;
}

/// Runs `step` for every chunk of the items, each in a transaction of its own, and tells of it. A
/// chunk that fails as a whole (the storage is full, a queue overflows) fails all of its items.
template <typename T, typename F>
Task<Result<Batch>> in_chunks(Scope scope, std::string_view event, std::vector<T> items, F step) {
    Batch batch;
    for (std::size_t i = 0; i < items.size(); i += chunk_size) {
        const std::span<const T> part(items.data() + i, std::min(chunk_size, items.size() - i));
        Result<Chunk> chunk = co_await scope.repo.transaction(
            [&] [[clang::coro_wrapper]] (Tx tx) -> Task<Result<Chunk>> {
                return step(scope.within(tx), part, i);
            },
            chunk_deadline);
        if (!chunk) {
            if (i == 0) co_return std::move(chunk).error();
            for (std::size_t k = 0; k < part.size(); ++k) {
                batch.failed.push_back({i + k, chunk.error()});
            }
            continue;
        }
        announce_all(scope, event, chunk->changes);
        if (event == "asset_deleted") co_await announce_holders(scope, chunk->changes);
        for (Change& change : chunk->changes) batch.done.push_back(std::move(change.asset));
        for (Asset& asset : chunk->untouched) batch.done.push_back(std::move(asset));
        for (ItemError& error : chunk->failed) batch.failed.push_back(std::move(error));
    }
    std::ranges::sort(batch.failed, {}, &ItemError::index);
    co_return batch;
}

}  // namespace

Task<Result<Batch>> create_all(Scope scope, Json::Array items) {
    co_return co_await in_chunks(std::move(scope), "asset_created", std::move(items), create_chunk);
}

Task<Result<Batch>> update_all(Scope scope, Json::Array items) {
    co_return co_await in_chunks(std::move(scope), "asset_updated", std::move(items), update_chunk);
}

Task<Result<Batch>> remove_all(Scope scope, std::vector<Id> ids) {
    co_return co_await in_chunks(std::move(scope), "asset_deleted", std::move(ids), remove_chunk);
}

}  // namespace assetronics::assets
