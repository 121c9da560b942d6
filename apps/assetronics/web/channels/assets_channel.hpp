#pragma once

#include "apps/assetronics/web/channels/tenant_channel.hpp"

namespace assetronics::web {

/// `assets:<tenant>`: changes of the inventory, and who is looking at which page.
class AssetsChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;

    Task<> after_join() override;
    Task<bennu::Reply> handle_in(bennu::Event event, Json payload) override;

  private:
    void show_viewer();

    std::string page_;
    Timestamp online_at_;
};

}  // namespace assetronics::web
