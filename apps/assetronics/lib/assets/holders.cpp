#include <set>

#include "apps/assetronics/lib/assets/changes.hpp"
#include "bennu/base/log.hpp"

namespace assetronics::assets {

using namespace bennu;

namespace {

Task<Result<std::vector<employees::Employee>>> with_ids(Scope scope, std::vector<Id> ids) {
    auto people = co_await require(employees::of_ids(scope, std::move(ids)));
    co_return co_await with_counts(std::move(scope), std::move(people));
}

}  // namespace

Task<Result<std::vector<employees::Employee>>> with_counts(
    Scope scope, std::vector<employees::Employee> people) {
    std::vector<Id> ids;
    for (const employees::Employee& each : people) ids.push_back(each.id);
    auto counts = co_await require(counts_of(std::move(scope), std::move(ids)));
    for (employees::Employee& each : people) {
        if (auto found = counts.find(each.id); found != counts.end()) {
            each.asset_count = found->second;
        }
    }
    co_return people;
}

Task<> announce_holders(Scope scope, const std::vector<Change>& changes) {
    std::set<Id> ids;
    for (const Change& change : changes) {
        if (change.entry.employee_id) ids.insert(*change.entry.employee_id);
    }
    // Of more than these, viewers were told to read their lists anew.
    if (ids.empty() || changes.size() > few) co_return;
    auto people = co_await with_ids(scope, {ids.begin(), ids.end()});
    if (people) {
        employees::announce(scope, *people);
    } else {
        log_warning("viewers were not told how many assets people have",
                    {{"error", people.error().describe()}});
    }
}

}  // namespace assetronics::assets
