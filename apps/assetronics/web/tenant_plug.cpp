#include "apps/assetronics/web/tenant_plug.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

/// Until people log in, the ledger names the team that all of them are.
constexpr std::string_view somebody = "IT team";

}  // namespace

Task<std::optional<Response>> TenantPlug::before(Conn conn) const {
    std::string slug(conn.header("x-tenant-id"));
    if (slug.empty()) slug = tenants::demo;
    Result<> known = co_await tenants::check(repo, slug);
    if (!known) co_return error(conn, known.error());
    conn.assign(Scope{repo, std::move(slug), std::string(somebody)});
    co_return std::nullopt;
}

}  // namespace assetronics::web
