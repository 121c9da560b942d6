#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bennu/data/repo.hpp"

namespace bennu {

/// One step of a database's shape, compiled into the binary. `version` orders them
/// (20260101120000); `up` and `down` are SQL texts of any number of statements. An empty `down`
/// cannot be rolled back.
struct Migration {
    std::int64_t version;
    std::string_view name;
    std::string_view up;
    std::string_view down;
};

struct MigrationStatus {
    std::int64_t version;
    std::string name;
    bool applied = false;
    bool known = true;  ///< false: the database has it, this binary does not
};

/// Applies what is missing, in order of version, each in a transaction that also notes it in
/// `schema_migrations`; two processes that migrate at once do not do it twice. Returns how many it
/// applied. Versions in the database that this binary does not know are warned about.
Task<Result<int>> migrate(Repo repo, std::span<const Migration> migrations);
/// Undoes the newest `steps` applied migrations.
Task<Result<int>> rollback(Repo repo, std::span<const Migration> migrations, int steps = 1);
/// Every migration that the binary or the database knows, in order.
Task<Result<std::vector<MigrationStatus>>> migration_status(Repo repo,
                                                            std::span<const Migration> migrations);

}  // namespace bennu
