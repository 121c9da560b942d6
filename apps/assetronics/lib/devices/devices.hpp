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

/// What `devices:<tenant>` is told, and first of all devices: `devices_changed`.
struct DevicesChanged {
    std::vector<Device> devices;
};
BENNU_RECORD(DevicesChanged, devices)
enum class DeviceAction : std::uint8_t { blink, reboot };
BENNU_ENUM(DeviceAction, blink, reboot)
/// What a device is told to do: `action`.
struct DeviceCommand {
    DeviceAction action = DeviceAction::blink;
};
BENNU_RECORD(DeviceCommand, action)

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
/// Whether a device can have measured that; the error names each field.
Result<> check(const Metrics& metrics);

/// A device that shall be let in.
struct Enrolment {
    std::string mac;
    std::optional<std::string> name;  ///< until it says its own
    std::optional<bool> simulated;
};
BENNU_RECORD(Enrolment, mac, name, simulated)
/// What a device shows when it joins. Whoever holds it is the device; it cannot be read again, only
/// its digest is stored.
struct Credential {
    Id id;
    std::string mac;
    std::string token;
};
BENNU_RECORD(Credential, id, mac, token)
/// Of one call.
inline constexpr std::size_t most_enrolments = 1000;
/// Issues a token for each MAC. A device that has one gets another: the one of before is of no use
/// from then on, and its connection ends.
Task<Result<std::vector<Credential>>> enrol(Scope scope, std::vector<Enrolment> enrolments);
/// The device's token is of no use from now on, and its connection ends.
Task<Result<>> revoke(Scope scope, Id id);

/// What a device says of itself when it joins.
struct Announcement {
    std::string mac;    ///< as `normal_mac` gives it
    std::string token;  ///< of `enrol`
    std::string name;
    std::string firmware;
    bool simulated = false;
    std::string topic;  ///< where pushes to it go
};
/// The running process is the device's connection from now on: when it ends, the device is offline.
/// `forbidden` with code `unauthorized` when the device is not enrolled, was revoked, or shows
/// another token: which of them is not said. What it says anew of itself is stored before this
/// returns.
Task<Result<Device>> arrive(Scope scope, Announcement announcement);
/// From the device's connection. Never waits.
void report(const std::string& tenant, Id id, const Metrics& metrics);

/// All devices of a tenant, by MAC.
Task<std::vector<Device>> list(std::string tenant);
Task<Result<Device>> get(std::string tenant, Id id);
Task<LightCounts> count_lights(std::string tenant);
/// Pushes `action` to a device: `conflict` with code `offline`, `not_found`.
Task<Result<>> act(std::string tenant, Id id, DeviceAction action);

/// The process that knows the devices. Loads the stored ones.
bennu::ChildSpec child_devices(Repo repo);

}  // namespace assetronics::devices
