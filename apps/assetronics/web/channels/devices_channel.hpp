#pragma once

#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/web/channels/tenant_channel.hpp"

namespace assetronics::web {

/// `devices:<tenant>`: the lights of all devices, for the monitor.
class DevicesChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;

    Task<bennu::Join> join(bennu::Topic topic, Json params) override;
    Task<> after_join() override;
    Task<bennu::Reply> handle_in(bennu::Event event, Json payload) override;

  private:
    std::vector<devices::Device>
        told_;  ///< what the join reply said, until the client is subscribed
};

}  // namespace assetronics::web
