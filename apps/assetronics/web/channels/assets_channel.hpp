#pragma once

#include "apps/assetronics/web/channels/tenant_channel.hpp"

namespace assetronics::web {

struct View {
    std::string page;
};
BENNU_RECORD(View, page)

/// `assets:<tenant>`: changes of the inventory, and who is looking at which page.
class AssetsChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;

    static bennu::ChannelTypes types();
    Task<> after_join() override;

  private:
    bennu::Result<> view(View view);
    void show_viewer();

    std::string page_;
    Timestamp online_at_;
};

}  // namespace assetronics::web
