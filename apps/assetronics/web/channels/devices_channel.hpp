#pragma once

#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/web/channels/tenant_channel.hpp"

namespace assetronics::web {

struct ActionRequest {
    Id id;
    devices::DeviceAction action = devices::DeviceAction::blink;
};
BENNU_RECORD(ActionRequest, id, action)

/// `devices:<tenant>`: the lights of all devices, for the monitor.
class DevicesChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;

    static bennu::ChannelTypes types();
    Task<bennu::Join> join(bennu::Topic topic, Json params) override;
    Task<> after_join() override;

  private:
    Task<bennu::Result<>> action(ActionRequest request);

    devices::DevicesChanged told_;  ///< what the join reply said, until the client is subscribed
};

}  // namespace assetronics::web
