#include "bennu/data/migrations.hpp"

#include <algorithm>
#include <map>

#include "bennu/base/log.hpp"

namespace bennu {

namespace {

struct AppliedMigration {
    std::int64_t version = 0;
    std::string name;
    Timestamp inserted_at;
};
BENNU_RECORD(AppliedMigration, version, name, inserted_at)
BENNU_SCHEMA(AppliedMigration)
BENNU_DEFINE_SCHEMA(AppliedMigration, schema<AppliedMigration>("schema_migrations")
                                          .primary_key(&AppliedMigration::version)
                                          .timestamps(&AppliedMigration::inserted_at))

constexpr TransactionOptions unhurried{.deadline = std::chrono::hours(1)};

Task<Result<std::vector<AppliedMigration>>> applied_in(Repo repo) {
    co_await require(repo.execute(
        sql("CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, "
            "name TEXT NOT NULL, inserted_at BIGINT NOT NULL)")));
    co_return co_await repo.all(from<AppliedMigration>().order_by(asc(&AppliedMigration::version)));
}

std::vector<const Migration*> sorted(std::span<const Migration> migrations) {
    std::vector<const Migration*> list;
    for (const Migration& each : migrations) list.push_back(&each);
    std::ranges::sort(list, {}, &Migration::version);
    return list;
}

Result<> check_versions(const std::vector<const Migration*>& migrations) {
    for (std::size_t i = 1; i < migrations.size(); ++i) {
        if (migrations[i]->version == migrations[i - 1]->version) {
            return Error(
                ErrorKind::invalid, "duplicate_migration",
                "two migrations have the version " + std::to_string(migrations[i]->version));
        }
    }
    return {};
}

bool contains(const std::vector<AppliedMigration>& applied, std::int64_t version) {
    return std::ranges::find(applied, version, &AppliedMigration::version) != applied.end();
}

std::string place_of(const Migration& migration) {
    return "in migration " + std::to_string(migration.version) + " " + std::string(migration.name);
}

/// False when somebody else applied it meanwhile.
Task<Result<bool>> apply(Repo repo, const Migration& migration) {
    Result<bool> done = co_await repo.transaction(
        [&migration](Tx tx) -> Task<Result<bool>> {
            const auto same = from<AppliedMigration>().where(col(&AppliedMigration::version) ==
                                                             migration.version);
            if (co_await require(tx.exists(same))) co_return false;
            co_await require(tx.execute_script(std::string(migration.up)));
            co_await require(tx.insert(AppliedMigration{.version = migration.version,
                                                        .name = std::string(migration.name),
                                                        .inserted_at = {}}));
            co_return true;
        },
        unhurried);
    if (!done) co_return std::move(done).error().with_context(place_of(migration));
    co_return done;
}

Task<Result<bool>> undo(Repo repo, const Migration& migration) {
    Result<bool> done = co_await repo.transaction(
        [&migration](Tx tx) -> Task<Result<bool>> {
            const auto same = from<AppliedMigration>().where(col(&AppliedMigration::version) ==
                                                             migration.version);
            if (co_await require(tx.remove_all(same)) == 0) co_return false;
            co_await require(tx.execute_script(std::string(migration.down)));
            co_return true;
        },
        unhurried);
    if (!done) co_return std::move(done).error().with_context(place_of(migration));
    co_return done;
}

}  // namespace

Task<Result<int>> migrate(Repo repo, std::span<const Migration> migrations) {
    const std::vector<const Migration*> known = sorted(migrations);
    co_await require(check_versions(known));
    const std::vector<AppliedMigration> applied = co_await require(applied_in(repo));
    for (const AppliedMigration& each : applied) {
        if (std::ranges::find(known, each.version, &Migration::version) == known.end()) {
            log_warning("the database has a migration that this program does not know",
                        {{"version", each.version}, {"name", each.name}});
        }
    }
    int count = 0;
    for (const Migration* each : known) {
        if (contains(applied, each->version)) continue;
        const Instant began = now();
        if (!co_await require(apply(repo, *each))) continue;
        ++count;
        log_info("migrated",
                 {{"version", each->version}, {"name", each->name}, {"duration", now() - began}});
    }
    co_return count;
}

Task<Result<int>> rollback(Repo repo, std::span<const Migration> migrations, int steps) {
    const std::vector<const Migration*> known = sorted(migrations);
    const std::vector<AppliedMigration> applied = co_await require(applied_in(repo));
    int count = 0;
    for (auto each = applied.rbegin(); each != applied.rend() && count < steps; ++each) {
        const auto found = std::ranges::find(known, each->version, &Migration::version);
        if (found == known.end() || (*found)->down.empty()) {
            co_return Error(ErrorKind::unsupported, "irreversible_migration",
                            "migration " + std::to_string(each->version) + " " + each->name +
                                " has no way back in this program");
        }
        if (!co_await require(undo(repo, **found))) continue;
        ++count;
        log_info("rolled back", {{"version", each->version}, {"name", each->name}});
    }
    co_return count;
}

Task<Result<std::vector<MigrationStatus>>> migration_status(Repo repo,
                                                            std::span<const Migration> migrations) {
    std::map<std::int64_t, MigrationStatus> all;
    for (const Migration& each : migrations) {
        all[each.version] = {each.version, std::string(each.name), false, true};
    }
    for (const AppliedMigration& each : co_await require(applied_in(repo))) {
        auto [place, fresh] =
            all.try_emplace(each.version, MigrationStatus{each.version, each.name, true, false});
        place->second.applied = true;
    }
    std::vector<MigrationStatus> list;
    for (auto& [version, status] : all) list.push_back(std::move(status));
    co_return std::move(list);
}

}  // namespace bennu
