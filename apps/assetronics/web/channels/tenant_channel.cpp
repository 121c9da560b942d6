#include "apps/assetronics/web/channels/tenant_channel.hpp"

#include "apps/assetronics/lib/activity/activity.hpp"
#include "apps/assetronics/lib/employees/employees.hpp"
#include "apps/assetronics/lib/imports/imports.hpp"

namespace assetronics::web {

using namespace bennu;

Task<Join> TenantChannel::join(Topic topic, Json) {
    const std::string_view name = topic;
    std::optional<Join> refused = co_await enter(std::string(name.substr(name.find(':') + 1)));
    if (refused) co_return *std::move(refused);
    co_return Join::ok();
}

Task<std::optional<Join>> TenantChannel::enter(std::string slug) {
    tenant_ = std::move(slug);
    Result<> known = co_await tenants::check(repo_, tenant_);
    if (known) co_return std::nullopt;
    if (known.error().kind() != ErrorKind::not_found) co_return Join(known.error());
    co_return Join::refuse(Json::object({{"reason", "unknown tenant"}}));
}

ChannelTypes ActivityChannel::types() {
    return ChannelTypes("ActivityChannel").sends<activity::ActivityCreated>("activity_created");
}

ChannelTypes EmployeesChannel::types() {
    return ChannelTypes("EmployeesChannel").sends<employees::EmployeeUpdated>("employee_updated");
}

ChannelTypes ImportsChannel::types() {
    return ChannelTypes("ImportsChannel").sends<imports::ImportProgress>("import_progress");
}

}  // namespace assetronics::web
