#include "apps/assetronics/lib/devices/collector.hpp"

#include <algorithm>

#include "bennu/base/log.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::devices {

using namespace bennu;

namespace {

constexpr Duration look_interval = std::chrono::seconds(1);

Error no_such_device() {
    return Error(ErrorKind::not_found, "not_found", "There is no such device.");
}

}  // namespace

Task<Result<>> Collector::init() {
    // After a restart viewers still have what the process before this one told them.
    for (const DeviceRow& row : co_await require(all_devices(repo_))) put(row).changed = true;
    const Ref<Collector> me(self());
    send_after(me, Look{}, look_interval);
    send_after(me, Save{}, save_interval);
    co_return Result<>();
}

Collector::Known* Collector::find(const std::string& tenant, Id id) {
    const auto at = tenants_.find(tenant);
    if (at == tenants_.end()) return nullptr;
    const auto found = at->second.by_id.find(id);
    return found == at->second.by_id.end() ? nullptr : found->second;
}

Collector::Known& Collector::put(const DeviceRow& row) {
    Tenant& tenant = tenants_[row.tenant];
    Known& known = tenant.by_mac[row.mac];
    tenant.by_id[row.id] = &known;
    known.device.id = row.id;
    known.device.mac = row.mac;
    known.device.name = row.name;
    known.device.firmware = row.firmware;
    known.device.simulated = row.simulated;
    known.device.last_seen = row.last_seen;
    return known;
}

void Collector::connect(Known& known, Pid connection) {
    if (known.connection == connection) return;
    if (known.connection) {
        demonitor(known.monitor);
        connections_.erase(known.connection);
    }
    known.connection = connection;
    known.monitor = monitor(connection);
    connections_[connection] = &known;
    known.device.online = true;
    known.device.last_seen = wall_now();
    known.heard = now();
    known.changed = true;
    known.unsaved = true;
    refresh_light(known, known.heard);
}

void Collector::refresh_light(Known& known, Instant at) {
    const Light light = light_of(known.device.online, at - known.heard, known.device.metrics);
    if (light == known.device.light) return;
    known.device.light = light;
    known.changed = true;
}

Result<std::optional<Device>> Collector::handle(Arrive message) {
    Tenant& tenant = tenants_[message.tenant];
    const auto found = tenant.by_mac.find(message.announcement.mac);
    if (found == tenant.by_mac.end()) return std::optional<Device>();
    Known& known = found->second;
    const Announcement& says = message.announcement;
    if (known.device.name != says.name || known.device.firmware != says.firmware ||
        known.device.simulated != says.simulated) {
        return std::optional<Device>();
    }
    known.topic = says.topic;
    connect(known, message.connection);
    return std::optional(known.device);
}

Result<> Collector::handle(Room message) {
    const Tenant& tenant = tenants_[message.tenant];
    const auto fresh = std::ranges::count_if(
        message.macs, [&](const std::string& mac) { return !tenant.by_mac.contains(mac); });
    if (tenant.by_mac.size() + static_cast<std::size_t>(fresh) <= most_devices) return {};
    return Error(ErrorKind::overloaded, "too_many_devices", "There are too many devices.");
}

void Collector::handle(Renewed message) {
    for (const DeviceRow& row : message.rows) {
        Known& known = put(row);
        known.changed = true;
        if (known.connection) stop(known.connection);
    }
}

Device Collector::handle(Learn message) {
    Known& known = put(message.row);
    known.topic = std::move(message.topic);
    known.changed = true;
    connect(known, message.connection);
    return known.device;
}

void Collector::handle(Report message) {
    Known* known = find(message.tenant, message.id);
    if (!known) return;
    // After a restart of this process its connections are found again by what they report.
    if (!known->connection) {
        known->topic = "device:" + message.tenant + ":" + known->device.mac;
        connect(*known, message.connection);
    }
    if (known->connection != message.connection) return;
    known->heard = now();
    known->device.last_seen = wall_now();
    known->unsaved = true;
    if (known->device.metrics != message.metrics) {
        known->device.metrics = message.metrics;
        known->changed = true;
    }
    refresh_light(*known, known->heard);
}

std::vector<Device> Collector::handle(List message) {
    std::vector<Device> devices;
    const auto at = tenants_.find(message.tenant);
    if (at == tenants_.end()) return devices;
    devices.reserve(at->second.by_mac.size());
    for (const auto& [mac, known] : at->second.by_mac) devices.push_back(known.device);
    return devices;
}

Result<Device> Collector::handle(Get message) {
    const Known* known = find(message.tenant, message.id);
    if (!known) return no_such_device();
    return known->device;
}

LightCounts Collector::handle(Count message) {
    LightCounts counts;
    const auto at = tenants_.find(message.tenant);
    if (at == tenants_.end()) return counts;
    for (const auto& [mac, known] : at->second.by_mac) {
        counts.green += known.device.light == Light::green;
        counts.amber += known.device.light == Light::amber;
        counts.red += known.device.light == Light::red;
    }
    return counts;
}

Result<> Collector::handle(Act message) {
    const Known* known = find(message.tenant, message.id);
    if (!known) return no_such_device();
    if (!known->connection) return Error(ErrorKind::conflict, "offline", "The device is offline.");
    pubsub::broadcast(known->topic, "action", DeviceCommand{message.action});
    return {};
}

void Collector::handle(Look) {
    send_after(Ref<Collector>(self()), Look{}, look_interval);
    const Instant at = now();
    for (auto& [slug, tenant] : tenants_) tell_changes(slug, tenant, at);
}

void Collector::tell_changes(const std::string& slug, Tenant& tenant, Instant at) {
    DevicesChanged news;
    for (auto& [mac, known] : tenant.by_mac) {
        refresh_light(known, at);
        if (!known.changed) continue;
        known.changed = false;
        news.devices.push_back(known.device);
    }
    if (!news.devices.empty()) pubsub::broadcast("devices:" + slug, "devices_changed", news);
}

void Collector::handle(Save) {
    const Ref<Collector> me(self());
    send_after(me, Save{}, save_interval);
    if (saving_) return;
    std::vector<Id> ids;
    for (auto& [slug, tenant] : tenants_) {
        for (auto& [mac, known] : tenant.by_mac) {
            if (std::exchange(known.unsaved, false)) ids.push_back(known.device.id);
        }
    }
    if (ids.empty()) return;
    saving_ = true;
    spawn_task(
        [me, repo = repo_, ids = std::move(ids), at = wall_now()]() -> Task<> {
            Result<> saved = co_await save_last_seen(repo, ids, at);
            if (!saved)
                log_warning("last_seen of devices was not saved", {{"error", saved.error()}});
            cast(me, Saved{});
        },
        {.link = true});
}

void Collector::handle(Down down) {
    const auto found = connections_.find(down.pid);
    if (found == connections_.end()) return;
    Known& known = *found->second;
    connections_.erase(found);
    known.connection = {};
    known.device.online = false;
    known.changed = true;
    refresh_light(known, now());
}

}  // namespace assetronics::devices
