#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/channel/channel.hpp"
#include "bennu/channel/typescript.hpp"

namespace assetronics::web {

/// A channel of one tenant: `<what>:<tenant>`. Whoever may join gets what the contexts broadcast on
/// the topic.
class TenantChannel : public bennu::Channel {
  public:
    explicit TenantChannel(Repo repo) : repo_(std::move(repo)) {}

    Task<bennu::Join> join(bennu::Topic topic, Json params) override;

  protected:
    /// Remembers the tenant; nothing when it is known, else the refusal.
    Task<std::optional<bennu::Join>> enter(std::string slug);
    Scope scope() const { return {repo_, tenant_}; }
    const std::string& tenant() const { return tenant_; }

  private:
    Repo repo_;
    std::string tenant_;
};

/// `activity:<tenant>`: the ledger as it grows.
class ActivityChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;
    static bennu::ChannelTypes types();
};

/// `employees:<tenant>`: people whose fields, or assets, changed.
class EmployeesChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;
    static bennu::ChannelTypes types();
};

/// `imports:<tenant>`: how far imports are.
class ImportsChannel : public TenantChannel {
  public:
    using TenantChannel::TenantChannel;
    static bennu::ChannelTypes types();
};

}  // namespace assetronics::web
