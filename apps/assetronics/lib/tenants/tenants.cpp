#include "apps/assetronics/lib/tenants/tenants.hpp"

#include <deque>
#include <mutex>
#include <set>

#include "bennu/runtime/process.hpp"

namespace assetronics {

namespace tenants {

BENNU_DEFINE_SCHEMA(
    Tenant,
    bennu::schema<Tenant>("tenants").primary_key(&Tenant::slug).timestamps(&Tenant::inserted_at))

namespace {

/// The tenants that this shard has seen in one database.
struct KnownTenants {
    std::set<std::string, std::less<>> slugs;
};

}  // namespace

Task<Result<>> check(Repo repo, std::string slug) {
    auto& known = bennu::shard_local<KnownTenants>().slugs;
    if (known.contains(slug)) co_return Result<>();
    Result<Tenant> found = co_await repo.get<Tenant>(slug);
    if (!found) {
        if (found.error().kind() != bennu::ErrorKind::not_found) co_return std::move(found).error();
        co_return bennu::Error(bennu::ErrorKind::not_found, "unknown_tenant",
                               "There is no such tenant.");
    }
    known.insert(std::move(slug));
    co_return Result<>();
}

Task<Result<>> ensure(Repo repo, Tenant tenant) {
    Result<bool> there =
        co_await repo.exists(bennu::from<Tenant>().where(bennu::col(&Tenant::slug) == tenant.slug));
    if (!there) co_return std::move(there).error();
    if (*there) co_return Result<>();
    co_return (co_await repo.insert(std::move(tenant))).transform([](Tenant) {});
}

}  // namespace tenants

const bennu::RecordInfo& public_record(const bennu::RecordInfo& stored) {
    struct Made {
        std::vector<bennu::Field> fields;
        bennu::RecordInfo info;
    };
    static std::mutex mutex;
    static std::deque<Made> made;  // as long as the program; one for each type
    const std::scoped_lock lock(mutex);
    Made& one = made.emplace_back(Made{{}, stored});
    for (const bennu::Field& field : stored.fields) {
        if (field.name != "tenant" && field.name != "search") one.fields.push_back(field);
    }
    one.info.fields = one.fields;
    return one.info;
}

}  // namespace assetronics
