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
    std::optional<std::string> token_hash;  ///< SHA-256 as hex; unset: it may not come
    Timestamp last_seen;
    Timestamp inserted_at;
    Timestamp updated_at;
};
BENNU_RECORD(DeviceRow, id, tenant, mac, name, firmware, simulated, token_hash, last_seen,
             inserted_at, updated_at)
BENNU_SCHEMA(DeviceRow)

inline constexpr bennu::Duration save_interval = std::chrono::seconds(10);

/// Stores a device with the digest of its token, new or in the place of the one of before.
Task<Result<DeviceRow>> keep(Scope scope, Enrolment enrolment, std::string token_hash);
/// The device of that MAC, if the token is its own; else `forbidden`, code `unauthorized`.
Task<Result<DeviceRow>> authenticate(Scope scope, std::string mac, std::string token);
/// Stores what a device says of itself.
Task<Result<DeviceRow>> remember(Scope scope, DeviceRow row, Announcement announcement);
/// SHA-256 as hex. Tokens are random: nobody can try them all, so that a quick digest will do.
std::string token_digest(std::string_view token);
Task<Result<std::vector<DeviceRow>>> all_devices(Repo repo);
/// Notes that these were heard of.
Task<Result<>> save_last_seen(Repo repo, std::vector<Id> ids, Timestamp at);

}  // namespace assetronics::devices
