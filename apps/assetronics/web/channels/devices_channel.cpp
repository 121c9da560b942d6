#include "apps/assetronics/web/channels/devices_channel.hpp"

#include <algorithm>

namespace assetronics::web {

using namespace bennu;

ChannelTypes DevicesChannel::types() {
    return ChannelTypes("DevicesChannel")
        .joins<NoPayload, devices::DevicesChanged>()
        .on<&DevicesChannel::action>("action")
        .sends<devices::DevicesChanged>("devices_changed");
}

Task<Join> DevicesChannel::join(Topic topic, Json) {
    std::optional<Join> refused = co_await enter(std::string(*topic.after("devices:")));
    if (refused) co_return *std::move(refused);
    told_.devices = co_await devices::list(tenant());
    co_return Join::ok(told_);
}

Task<> DevicesChannel::after_join() {
    // Changes between the reply and the subscription reached nobody.
    devices::DevicesChanged news{co_await devices::list(tenant())};
    const std::vector<devices::Device> told = std::exchange(told_, {}).devices;
    std::size_t at = 0;
    std::erase_if(news.devices, [&](const devices::Device& device) {
        while (at < told.size() && told[at].mac < device.mac) ++at;
        return at < told.size() && record_equal(told[at], device);
    });
    if (!news.devices.empty()) push("devices_changed", news);
}

Task<Result<>> DevicesChannel::action(ActionRequest request) {
    co_return co_await devices::act(tenant(), request.id, request.action);
}

}  // namespace assetronics::web
