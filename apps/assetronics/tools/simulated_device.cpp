#include "apps/assetronics/tools/simulated_device.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace assetronics::tools {

using device::Moment;

namespace {

constexpr const char* kinds[] = {"Sensor", "Gateway", "Kiosk", "Camera", "Terminal", "Beacon"};
constexpr const char* firmwares[] = {"2.3.4", "2.4.0", "2.4.1", "2.5.0"};

double one_decimal(double value) {
    return std::round(value * 10) / 10;
}

}  // namespace

device::Identity simulated_identity(std::uint64_t seed, std::uint32_t number, std::string tenant) {
    bennu::Random random(seed * 1'000'003 + number);
    char mac[18];
    std::snprintf(mac, sizeof mac, "02:%02x:%02x:%02x:%02x:%02x",
                  static_cast<unsigned>(seed >> 8 & 0xFF), static_cast<unsigned>(seed & 0xFF),
                  number >> 16 & 0xFF, number >> 8 & 0xFF, number & 0xFF);
    char name[32];
    std::snprintf(name, sizeof name, "%s %05u", kinds[random.below(std::size(kinds))], number);
    return {.tenant = std::move(tenant),
            .mac = mac,
            .name = name,
            .firmware = firmwares[random.below(std::size(firmwares))],
            .simulated = true};
}

SimulatedDevice::SimulatedDevice(std::uint64_t seed) : random_(seed) {
    usual_cpu_ = 8 + random_.uniform() * 45;
    usual_temperature_ = 32 + random_.uniform() * 22;
    const double kind = random_.uniform();
    if (kind < 0.03) {
        usual_temperature_ = 75;  // runs warm: amber
    } else if (kind < 0.045) {
        usual_temperature_ = 90;  // runs hot: red
    } else if (kind < 0.07) {
        low_battery_ = true;  // amber
    }
    now_ = {.cpu = usual_cpu_,
            .memory = 20 + random_.uniform() * 60,
            .temperature = usual_temperature_,
            .battery = low_battery_ ? 6 + random_.uniform() * 13 : 35 + random_.uniform() * 65,
            .signal = -40 - random_.uniform() * 40};
}

double SimulatedDevice::walk(double value, double towards, double stride) {
    return value + (towards - value) * 0.1 + (random_.uniform() - 0.5) * 2 * stride;
}

Moment SimulatedDevice::next() {
    if (silent_ > 0) {
        --silent_;
        return {.kind = Moment::Kind::silent};
    }
    // About once in a quarter of an hour each.
    if (random_.chance(1.0 / 900)) {
        silent_ = static_cast<int>(random_.between(4, 14));
        return {.kind = Moment::Kind::silent};
    }
    if (random_.chance(1.0 / 900)) {
        return {.kind = Moment::Kind::drop_out,
                .away = std::chrono::seconds(random_.between(4, 20))};
    }
    if (episode_ == 0 && random_.chance(1.0 / 600)) {
        episode_ = static_cast<int>(random_.between(20, 60));
        heat_ = random_.chance(0.3) ? 92 : 76;
    }
    const bool hot = episode_ > 0 && episode_-- > 0;
    now_.temperature =
        std::clamp(walk(now_.temperature, hot ? heat_ : usual_temperature_, 0.8), 5.0, 110.0);
    now_.cpu = std::clamp(walk(now_.cpu, hot ? 85 : usual_cpu_, 4), 0.5, 100.0);
    now_.memory = std::clamp(walk(now_.memory, now_.memory, 0.6), 5.0, 97.0);
    now_.signal = std::clamp(walk(now_.signal, now_.signal, 1.2), -95.0, -30.0);
    now_.battery -= 0.004;
    if (now_.battery < (low_battery_ ? 5.5 : 25)) now_.battery = low_battery_ ? 19 : 100;
    return {.metrics = {.cpu = one_decimal(now_.cpu),
                        .memory = one_decimal(now_.memory),
                        .temperature = one_decimal(now_.temperature),
                        .battery = one_decimal(now_.battery),
                        .signal = one_decimal(now_.signal)}};
}

void SimulatedDevice::act(std::string_view action) {
    if (action == "reboot") {
        episode_ = 0;
        now_.cpu = usual_cpu_;
    }
}

}  // namespace assetronics::tools
