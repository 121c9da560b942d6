#include "apps/assetronics/web/channels/channels.hpp"

#include "apps/assetronics/web/channels/assets_channel.hpp"
#include "apps/assetronics/web/channels/device_channel.hpp"
#include "apps/assetronics/web/channels/devices_channel.hpp"
#include "apps/assetronics/web/channels/ops_channel.hpp"
#include "bennu/base/ascii.hpp"
#include "bennu/base/utf8.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

constexpr std::size_t longest_name = 60;

/// What a page that lost its connection can be told again. Two hundred are two of the largest
/// batches that are told one by one; a page that missed more reads its list anew, which is less by
/// then. Ten minutes are a lift, a change of networks, a notebook that was closed for a moment.
constexpr pubsub::DurableOptions live{.keep = 200, .keep_for = std::chrono::minutes(10)};

/// What other viewers see; the page's own wording is not trusted further than that.
std::string viewer_name(const Json& params) {
    const std::string_view name = trim(params.get<std::string_view>("name").value_or(""));
    if (name.empty() || !valid_utf8(name)) return "Guest";
    std::size_t end = 0;
    for (std::size_t count = 0; end < name.size() && count < longest_name; ++count) {
        end += utf8_char_length(name.substr(end));
    }
    return std::string(name.substr(0, end));
}

Task<Result<Connected>> connect(ConnectRequest request) {
    Json assigns =
        Json::object({{"name", viewer_name(request.params)}, {"viewer", to_string(new_id())}});
    co_return Connected{std::move(assigns), {}};
}

}  // namespace

SocketOptions socket_options(Repo repo, ops::Access access) {
    SocketOptions options;
    options.path = "/socket";
    options.exact_origin = true;  // nobody signs in: pages of other ports stay out
    options.channels.push_back(channel<AssetsChannel>("assets:*", {.durable = live}, repo));
    options.channels.push_back(channel<ActivityChannel>("activity:*", {.durable = live}, repo));
    options.channels.push_back(channel<EmployeesChannel>("employees:*", {.durable = live}, repo));
    options.channels.push_back(channel<ImportsChannel>("imports:*", repo));
    options.channels.push_back(channel<DevicesChannel>("devices:*", repo));
    options.channels.push_back(channel<DeviceChannel>("device:*", repo));
    options.channels.push_back(channel<OpsChannel>(
        std::string(ops::topic), std::make_shared<const ops::Access>(std::move(access))));
    options.connect = connect;
    return options;
}

std::string channel_types() {
    const ChannelTypes channels[] = {AssetsChannel::types(),    ActivityChannel::types(),
                                     EmployeesChannel::types(), ImportsChannel::types(),
                                     DevicesChannel::types(),   DeviceChannel::types(),
                                     OpsChannel::types()};
    return typescript("assetronics types", channels);
}

void mount_channels(RouteScope& scope, Repo repo, ops::Access access) {
    mount_socket(scope, socket_options(std::move(repo), std::move(access)));
}

}  // namespace assetronics::web
