#pragma once

#include "apps/assetronics/lib/devices/devices.hpp"

namespace assetronics::devices {

/// A device as it is stored. `last_seen` lags by up to `save_interval`.
struct DeviceRow {
    Id id;
    std::string tenant;
    std::string mac;
    std::string name;
    std::string firmware;
    bool simulated = false;
    Timestamp last_seen;
    Timestamp inserted_at;
    Timestamp updated_at;
};
BENNU_RECORD(DeviceRow, id, tenant, mac, name, firmware, simulated, last_seen, inserted_at,
             updated_at)
BENNU_SCHEMA(DeviceRow)

inline constexpr bennu::Duration save_interval = std::chrono::seconds(10);

/// Stores a device that is new or says something new of itself.
Task<Result<DeviceRow>> remember(Scope scope, Announcement announcement);
Task<Result<std::vector<DeviceRow>>> all_devices(Repo repo);
/// Notes that these were heard of.
Task<Result<>> save_last_seen(Repo repo, std::vector<Id> ids, Timestamp at);

}  // namespace assetronics::devices
