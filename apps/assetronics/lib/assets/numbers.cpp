#include "apps/assetronics/lib/assets/assets.hpp"

namespace assetronics::assets {

using namespace bennu;

/// One group of a count.
struct Group {
    std::string name;
    std::int64_t total = 0;
    Money value;
};
BENNU_RECORD(Group, name, total, value)

struct Holder {
    Id employee_id;
    std::int64_t total = 0;
};
BENNU_RECORD(Holder, employee_id, total)

namespace {

Json counts(const EnumInfo& names, const std::vector<Group>& groups) {
    Json out = Json::object();
    for (const EnumInfo::Enumerator& each : names.enumerators) out.set(each.name, 0);
    for (const Group& group : groups) out.set(group.name, group.total);
    return out;
}

}  // namespace

Task<Result<Summary>> summary(Scope scope) {
    std::vector<Group> statuses = co_await require(scope.repo.query(
        sql<Group>("select status as name, count(*) as total, coalesce(sum(cost), 0) as value "
                   "from assets where tenant = ? group by status",
                   scope.tenant)));
    std::vector<Group> categories = co_await require(
        scope.repo.query(sql<Group>("select category as name, count(*) as total, 0 as value "
                                    "from assets where tenant = ? group by category",
                                    scope.tenant)));
    Summary out;
    for (const Group& group : statuses) {
        out.total += group.total;
        out.value = out.value + group.value;
    }
    out.by_status = counts(enum_of<AssetStatus>(), statuses);
    out.by_category = counts(enum_of<Category>(), categories);
    co_return out;
}

Task<Result<std::map<Id, std::int64_t>>> counts_of(Scope scope, std::vector<Id> employees) {
    std::map<Id, std::int64_t> out;
    if (employees.empty()) co_return out;
    Sql<Holder> query = sql<Holder>(
        "select employee_id, count(*) as total from assets where tenant = ? and employee_id in (",
        scope.tenant);
    query.add("?", employees.front());
    for (std::size_t i = 1; i < employees.size(); ++i) query.add(", ?", employees[i]);
    query.add(") group by employee_id");
    for (const Holder& holder : co_await require(scope.repo.query(std::move(query)))) {
        out[holder.employee_id] = holder.total;
    }
    co_return out;
}

}  // namespace assetronics::assets
