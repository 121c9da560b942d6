#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/record.hpp"
#include "bennu/data/all.hpp"

namespace assetronics {

using bennu::Id;
using bennu::Json;
using bennu::Repo;
using bennu::Result;
using bennu::Task;
using bennu::Timestamp;

/// For whom and on whose behalf a context works: every call of a context takes one. Cheap to copy.
struct Scope {
    Repo repo;
    std::string tenant;            ///< the slug
    std::string actor = "System";  ///< who is named in the ledger

    /// The same within a transaction of the repo.
    Scope within(bennu::Tx tx) const { return {std::move(tx), tenant, actor}; }
    /// `topic("assets")` is `assets:demo`.
    std::string topic(std::string_view name) const { return std::string(name) + ":" + tenant; }
};

namespace tenants {

/// A company. Its slug is in URLs, topics and every row that belongs to it.
struct Tenant {
    std::string slug;
    std::string name;
    Timestamp inserted_at;
};
BENNU_RECORD(Tenant, slug, name, inserted_at)
BENNU_SCHEMA(Tenant)

inline constexpr std::string_view demo = "demo";

/// `not_found` with code `unknown_tenant`. Remembered per shard, since tenants stay.
Task<Result<>> check(Repo repo, std::string slug);
/// Makes the tenant unless it exists.
Task<Result<>> ensure(Repo repo, Tenant tenant);

}  // namespace tenants

/// A record as the outside sees it: without the columns that only the database needs (`tenant`,
/// `search`).
const bennu::RecordInfo& public_record(const bennu::RecordInfo& stored);
template <bennu::Record T>
const bennu::RecordInfo& public_record() {
    static const bennu::RecordInfo& made = public_record(bennu::record_of<T>());
    return made;
}
template <bennu::Record T>
void write_public(std::string& out, const T& record) {
    bennu::write_json(out, &record, public_record<T>());
}
/// A stored record as a member of another one that goes out: `Public<Asset> asset;`.
template <bennu::Record T>
struct Public : T {
    friend const bennu::RecordInfo& bennu_record_info(const Public*) { return public_record<T>(); }
};

}  // namespace assetronics
