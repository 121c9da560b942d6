#include "apps/assetronics/lib/devices/store.hpp"

#include "bennu/runtime/process.hpp"

namespace assetronics::devices {

using namespace bennu;

BENNU_DEFINE_SCHEMA(DeviceRow, bennu::schema<DeviceRow>("devices")
                                   .tenant(&DeviceRow::tenant)
                                   .unique("devices_tenant_mac",
                                           {&DeviceRow::tenant, &DeviceRow::mac}, &DeviceRow::mac)
                                   .timestamps(&DeviceRow::inserted_at, &DeviceRow::updated_at))

Task<Result<DeviceRow>> remember(Scope scope, Announcement announcement) {
    DeviceRow row{.tenant = scope.tenant,
                  .mac = std::move(announcement.mac),
                  .name = std::move(announcement.name),
                  .firmware = std::move(announcement.firmware),
                  .simulated = announcement.simulated,
                  .last_seen = wall_now()};
    co_return co_await scope.repo.upsert(
        std::move(row), Fields<DeviceRow>{&DeviceRow::tenant, &DeviceRow::mac},
        Fields<DeviceRow>{&DeviceRow::name, &DeviceRow::firmware, &DeviceRow::simulated,
                          &DeviceRow::last_seen});
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
