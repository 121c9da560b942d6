#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/runtime/supervisor.hpp"

/// Devices in the field. Which devices there are is stored; what they measure lives in memory, in
/// one process that looks at all of them once a second and tells `devices:<tenant>` about those
/// that changed.
namespace assetronics::devices {

enum class Light : std::uint8_t { green, amber, red };
BENNU_ENUM(Light, green, amber, red)

/// What a device measured: percentages, degrees Celsius, and a signal in percent or dBm.
struct Metrics {
    double cpu = 0;
    double memory = 0;
    double temperature = 0;
    double battery = 0;
    double signal = 0;
    bool operator==(const Metrics&) const = default;
};
BENNU_RECORD(Metrics, cpu, memory, temperature, battery, signal)

struct Device {
    Id id;
    std::string mac;
    std::string name;
    Light light = Light::red;
    bool online = false;
    bool simulated = false;
    std::string firmware;
    Timestamp last_seen;
    std::optional<Metrics> metrics;
};
BENNU_RECORD(Device, id, mac, name, light, online, simulated, firmware, last_seen, metrics)

struct LightCounts {
    std::int64_t green = 0;
    std::int64_t amber = 0;
    std::int64_t red = 0;
};
BENNU_RECORD(LightCounts, green, amber, red)

/// The light of a device whose last word is `silence` old. Red: offline, silent for 10 s,
/// temperature from 85, battery under 5, cpu from 98. Amber: silent for 3 s, temperature from 70,
/// battery under 20, cpu from 90. Else green.
Light light_of(bool online, bennu::Duration silence, const std::optional<Metrics>& metrics);

/// Lower case with colons, from `AA:BB:CC:00:11:22` or `aa-bb-cc-00-11-22`; nothing for other text.
std::optional<std::string> normal_mac(std::string_view text);
/// Reads what a device pushed; the error names each field.
Result<Metrics> read_metrics(const Json& payload);

/// What a device says of itself when it joins.
struct Announcement {
    std::string mac;  ///< as `normal_mac` gives it
    std::string name;
    std::string firmware;
    bool simulated = false;
    std::string topic;  ///< where pushes to it go
};
/// The running process is the device's connection from now on: when it ends, the device is offline.
/// A device that is seen for the first time is stored before this returns.
Task<Result<Device>> arrive(Scope scope, Announcement announcement);
/// From the device's connection. Never waits.
void report(const std::string& tenant, Id id, const Metrics& metrics);

/// All devices of a tenant, by MAC.
Task<std::vector<Device>> list(std::string tenant);
Task<Result<Device>> get(std::string tenant, Id id);
Task<LightCounts> count_lights(std::string tenant);
/// Pushes `action` to a device: `conflict` with code `offline`, `not_found`.
Task<Result<>> act(std::string tenant, Id id, std::string action);

/// The process that knows the devices. Loads the stored ones.
bennu::ChildSpec child_devices(Repo repo);

}  // namespace assetronics::devices
