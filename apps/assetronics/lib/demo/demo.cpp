#include "apps/assetronics/lib/demo/demo.hpp"

#include "apps/assetronics/lib/demo/company.hpp"

namespace assetronics::demo {

using namespace bennu;

namespace {

constexpr std::uint64_t seed_of_the_company = 2026;

}  // namespace

Task<Result<bool>> seed(Repo repo, Timestamp now) {
    const std::string slug(tenants::demo);
    co_await require(tenants::ensure(repo, {.slug = slug, .name = "Brightwater Robotics"}));
    auto known = co_await require(employees::list({repo, slug}, {{"page_size", "1"}}));
    if (known.total > 0) co_return false;
    co_await require(repo.transaction(
        [&](Tx tx) -> Task<Result<>> {
            const Scope scope{tx, slug};
            Company company = invent_company(now, seed_of_the_company);
            co_await require(employees::insert_all(scope, std::move(company.people)));
            co_await require(
                assets::load(scope, std::move(company.assets), std::move(company.history)));
            co_return Result<>();
        },
        {.deadline = std::chrono::seconds(60)}));
    co_return true;
}

}  // namespace assetronics::demo
