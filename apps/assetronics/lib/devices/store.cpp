#include "apps/assetronics/lib/devices/store.hpp"

#include "bennu/base/crypto.hpp"
#include "bennu/runtime/process.hpp"

namespace assetronics::devices {

using namespace bennu;

BENNU_DEFINE_SCHEMA(DeviceRow, bennu::schema<DeviceRow>("devices")
                                   .tenant(&DeviceRow::tenant)
                                   .unique("devices_tenant_mac",
                                           {&DeviceRow::tenant, &DeviceRow::mac}, &DeviceRow::mac)
                                   .timestamps(&DeviceRow::inserted_at, &DeviceRow::updated_at))

Task<Result<DeviceRow>> keep(Scope scope, Enrolment enrolment, std::string token_hash) {
    Fields<DeviceRow> written{&DeviceRow::token_hash};
    if (enrolment.name) written = written.with({&DeviceRow::name});
    if (enrolment.simulated) written = written.with({&DeviceRow::simulated});
    DeviceRow row{.tenant = scope.tenant,
                  .mac = enrolment.mac,
                  .name = enrolment.name.value_or(enrolment.mac),
                  .simulated = enrolment.simulated.value_or(false),
                  .token_hash = std::move(token_hash),
                  .last_seen = wall_now()};
    co_return co_await scope.repo.upsert(
        std::move(row), Fields<DeviceRow>{&DeviceRow::tenant, &DeviceRow::mac}, std::move(written));
}

Task<Result<DeviceRow>> authenticate(Scope scope, std::string mac, std::string token) {
    auto row = co_await require(scope.repo.one(
        from<DeviceRow>().for_tenant(scope.tenant).where(col(&DeviceRow::mac) == mac)));
    const std::string shown = token_digest(token);
    if (row && row->token_hash && constant_time_equal(*row->token_hash, shown)) {
        co_return *std::move(row);
    }
    co_return Error(ErrorKind::forbidden, "unauthorized",
                    "The device is not known, or its token is not valid.");
}

Task<Result<DeviceRow>> remember(Scope scope, DeviceRow row, Announcement announcement) {
    row.name = std::move(announcement.name);
    row.firmware = std::move(announcement.firmware);
    row.simulated = announcement.simulated;
    row.last_seen = wall_now();
    co_return co_await scope.repo.update(
        std::move(row), Fields<DeviceRow>{&DeviceRow::name, &DeviceRow::firmware,
                                          &DeviceRow::simulated, &DeviceRow::last_seen});
}

Task<Result<std::vector<DeviceRow>>> all_devices(Repo repo) {
    co_return co_await repo.all(from<DeviceRow>().across_tenants());
}

Task<Result<>> save_last_seen(Repo repo, std::vector<Id> ids, Timestamp at) {
    constexpr std::size_t batch = 500;
    for (std::size_t first = 0; first < ids.size(); first += batch) {
        const std::vector<Id> some(
            ids.begin() + static_cast<std::ptrdiff_t>(first),
            ids.begin() + static_cast<std::ptrdiff_t>(std::min(first + batch, ids.size())));
        co_await require(
            repo.update_all(from<DeviceRow>().across_tenants().where(col(&DeviceRow::id).in(some)),
                            set(&DeviceRow::last_seen, at)));
    }
    co_return Result<>();
}

}  // namespace assetronics::devices
