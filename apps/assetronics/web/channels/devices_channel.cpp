#include "apps/assetronics/web/channels/devices_channel.hpp"

#include <algorithm>

namespace assetronics::web {

using namespace bennu;

namespace {

enum class DeviceAction : std::uint8_t { blink, reboot };
BENNU_ENUM(DeviceAction, blink, reboot)

struct ActionRequest {
    Id id;
    DeviceAction action = DeviceAction::blink;
};
BENNU_RECORD(ActionRequest, id, action)

Payload devices_payload(const std::vector<devices::Device>& list) {
    std::string text = "{\"devices\":";
    write_json(text, &list, ops_of<std::vector<devices::Device>>);
    text += '}';
    return Payload::from_text(std::move(text));
}

}  // namespace

Task<Join> DevicesChannel::join(Topic topic, Json) {
    std::optional<Join> refused = co_await enter(std::string(*topic.after("devices:")));
    if (refused) co_return *std::move(refused);
    told_ = co_await devices::list(tenant());
    co_return Join::ok(devices_payload(told_));
}

Task<> DevicesChannel::after_join() {
    // Changes between the reply and the subscription reached nobody.
    std::vector<devices::Device> present = co_await devices::list(tenant());
    const std::vector<devices::Device> told = std::exchange(told_, {});
    std::size_t at = 0;
    std::erase_if(present, [&](const devices::Device& device) {
        while (at < told.size() && told[at].mac < device.mac) ++at;
        return at < told.size() && record_equal(told[at], device);
    });
    if (!present.empty()) push("devices_changed", devices_payload(present));
}

Task<Reply> DevicesChannel::handle_in(Event event, Json payload) {
    if (event != "action") co_return unknown(event);
    Result<ActionRequest> request = payload_as<ActionRequest>(payload);
    if (!request) co_return request.error();
    Result<> done =
        co_await devices::act(tenant(), request->id, std::string(enum_name(request->action)));
    if (!done) co_return done.error();
    co_return Reply::ok();
}

}  // namespace assetronics::web
