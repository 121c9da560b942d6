#pragma once

#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/web/channels/tenant_channel.hpp"
#include "bennu/pubsub/presence.hpp"

namespace assetronics::web {

/// `device:<tenant>:<mac>`: one device in the field. It is present, and online, as long as this
/// process lives.
class DeviceChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;

    static bennu::ChannelTypes types();
    Task<bennu::Join> join(bennu::Topic topic, Json params) override;
    Task<> after_join() override;

    struct PingDue {};
    void handle(PingDue);

  private:
    bennu::Result<> metrics(devices::Metrics metrics);
    bennu::Result<> pong();
    void ping_later();

    Id id_;
    std::string mac_;
    bennu::presence::Tracked present_;
};

}  // namespace assetronics::web
