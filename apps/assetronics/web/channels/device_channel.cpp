#include "apps/assetronics/web/channels/device_channel.hpp"

#include "bennu/base/utf8.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

struct DeviceParams {
    std::string token;
    std::optional<std::string> name;
    std::optional<std::string> firmware;
    std::optional<bool> simulated;
};
BENNU_RECORD(DeviceParams, token, name, firmware, simulated)

constexpr std::size_t longest_text = 100;
constexpr Duration ping_interval = std::chrono::seconds(30);

Result<DeviceParams> read_params(const Json& json) {
    Result<DeviceParams> params = from_json<DeviceParams>(json);
    if (!params) return params;
    for (const auto& [field, text] :
         {std::pair("name", &params->name), std::pair("firmware", &params->firmware)}) {
        if (*text && count_code_points(**text) > longest_text) {
            return Error::field(field, "too_long", "must be at most 100 characters long");
        }
    }
    return params;
}

}  // namespace

ChannelTypes DeviceChannel::types() {
    return ChannelTypes("DeviceChannel")
        .joins<DeviceParams>()
        .on<&DeviceChannel::metrics>("metrics")
        .on<&DeviceChannel::pong>("pong")
        .sends<NoPayload>("ping")
        .sends<devices::DeviceCommand>("action");
}

Task<Join> DeviceChannel::join(Topic topic, Json json) {
    const std::string_view rest = *topic.after("device:");
    const std::size_t colon = rest.find(':');
    std::optional<Join> refused = co_await enter(std::string(rest.substr(0, colon)));
    if (refused) co_return *std::move(refused);
    const auto mac =
        devices::normal_mac(colon == std::string_view::npos ? "" : rest.substr(colon + 1));
    if (!mac) co_return Join::refuse(Json::object({{"reason", "invalid mac"}}));
    Result<DeviceParams> params = read_params(json);
    if (!params) co_return params.error();
    mac_ = *mac;
    const bool named = params->name && !params->name->empty();
    Result<devices::Device> device =
        co_await devices::arrive(scope(), {.mac = mac_,
                                           .token = params->token,
                                           .name = named ? *params->name : mac_,
                                           .firmware = params->firmware.value_or(""),
                                           .simulated = params->simulated.value_or(false),
                                           .topic = topic.str()});
    if (!device && device.error().kind() == ErrorKind::forbidden) {
        co_return Join::refuse(Json::object({{"reason", device.error().code()}}));
    }
    if (!device) co_return device.error();
    id_ = device->id;
    co_return Join::ok();
}

Task<> DeviceChannel::after_join() {
    present_ = presence::track(Topic("present_devices:" + tenant()), mac_,
                               Json::object({{"online_at", to_string(wall_now())}}));
    ping_later();
    co_return;
}

Result<> DeviceChannel::metrics(devices::Metrics metrics) {
    if (Result<> plausible = devices::check(metrics); !plausible) return plausible;
    devices::report(tenant(), id_, metrics);
    return {};
}

Result<> DeviceChannel::pong() {
    return {};
}

void DeviceChannel::handle(PingDue) {
    push("ping");
    ping_later();
}

void DeviceChannel::ping_later() {
    send_after(ref_as<DeviceChannel>(), PingDue{}, ping_interval);
}

}  // namespace assetronics::web
