#include "apps/assetronics/lib/demo/demo.hpp"

namespace assetronics::demo {

using namespace bennu;

Task<Result<bool>> seed(Repo repo, Timestamp) {
    co_await require(tenants::ensure(repo, {.slug = "demo", .name = "Northwind Robotics"}));
    co_return true;
}

std::string sample_csv(const SampleOptions&) {
    return {};
}

}  // namespace assetronics::demo
