#include "apps/assetronics/lib/devices/devices.hpp"

#include "apps/assetronics/lib/devices/collector.hpp"
#include "bennu/base/ascii.hpp"

namespace assetronics::devices {

using namespace bennu;

Light light_of(bool online, Duration silence, const std::optional<Metrics>& metrics) {
    using namespace std::chrono_literals;
    if (!online || silence >= 10s) return Light::red;
    const Metrics quiet{.battery = 100};
    const Metrics& now = metrics ? *metrics : quiet;
    if (now.temperature >= 85 || now.battery < 5 || now.cpu >= 98) return Light::red;
    if (silence >= 3s || now.temperature >= 70 || now.battery < 20 || now.cpu >= 90)
        return Light::amber;
    return Light::green;
}

std::optional<std::string> normal_mac(std::string_view text) {
    if (text.size() != 17 || (text[2] != ':' && text[2] != '-')) return std::nullopt;
    std::string mac;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = ascii_lower(text[i]);
        if (i % 3 == 2) {
            if (c != text[2]) return std::nullopt;
            mac += ':';
        } else if (is_ascii_digit(c) || (c >= 'a' && c <= 'f')) {
            mac += c;
        } else {
            return std::nullopt;
        }
    }
    return mac;
}

Result<> check(const Metrics& metrics) {
    std::vector<FieldError> errors;
    const auto within = [&](std::string_view field, double value, int low, int high) {
        if (value >= low && value <= high) return;
        errors.push_back({std::string(field), "out_of_range",
                          "must be from " + std::to_string(low) + " to " + std::to_string(high)});
    };
    within("cpu", metrics.cpu, 0, 100);
    within("memory", metrics.memory, 0, 100);
    within("temperature", metrics.temperature, -100, 300);
    within("battery", metrics.battery, 0, 100);
    within("signal", metrics.signal, -150, 100);
    if (!errors.empty()) return Error::invalid(std::move(errors));
    return {};
}

Task<Result<Device>> arrive(Scope scope, Announcement announcement) {
    const Pid connection = self();
    const std::string mac = announcement.mac, token = announcement.token;
    DeviceRow row = co_await require(authenticate(scope, mac, token));
    auto known = co_await require(co_await require(
        co_await try_call(collector(), Collector::Arrive{scope.tenant, announcement, connection})));
    if (known) {
        // A token that was revoked in between ended a connection that was not there yet.
        co_await require(authenticate(scope, mac, token));
        co_return *std::move(known);
    }
    std::string topic = announcement.topic;
    row = co_await require(remember(scope, std::move(row), std::move(announcement)));
    Device device = co_await require(co_await try_call(
        collector(), Collector::Learn{std::move(row), std::move(topic), connection}));
    co_await require(authenticate(scope, mac, token));
    co_return device;
}

void report(const std::string& tenant, Id id, const Metrics& metrics) {
    cast(collector(), Collector::Report{tenant, id, self(), metrics});
}

Task<std::vector<Device>> list(std::string tenant) {
    co_return co_await call(collector(), Collector::List{std::move(tenant)});
}

Task<Result<Device>> get(std::string tenant, Id id) {
    auto answered =
        co_await require(co_await try_call(collector(), Collector::Get{std::move(tenant), id}));
    co_return answered;
}

Task<LightCounts> count_lights(std::string tenant) {
    co_return co_await call(collector(), Collector::Count{std::move(tenant)});
}

Task<Result<>> act(std::string tenant, Id id, DeviceAction action) {
    auto answered = co_await require(
        co_await try_call(collector(), Collector::Act{std::move(tenant), id, action}));
    co_return answered;
}

ChildSpec child_devices(Repo repo) {
    return child<Collector>({.id = "devices", .name = std::string(Collector::name)},
                            std::move(repo));
}

}  // namespace assetronics::devices
