#include "bennu/data/query.hpp"

#include <stdexcept>

namespace bennu::data {

Condition Condition::comparing(const Field& field, Compare compare, std::vector<Value> values) {
    Condition made;
    made.field = &field;
    made.compare = compare;
    made.values = std::move(values);
    return made;
}

namespace {

Condition joined(Condition::Kind kind, Condition a, Condition b) {
    if (a.kind != kind) {
        Condition list;
        list.kind = kind;
        list.operands.push_back(std::move(a));
        a = std::move(list);
    }
    a.operands.push_back(std::move(b));
    return a;
}

}  // namespace

Condition Condition::both(Condition a, Condition b) {
    return joined(Kind::all, std::move(a), std::move(b));
}
Condition Condition::either(Condition a, Condition b) {
    return joined(Kind::any, std::move(a), std::move(b));
}
Condition Condition::negated(Condition a) {
    Condition made;
    made.kind = Kind::negation;
    made.operands.push_back(std::move(a));
    return made;
}

void QueryState::add(Condition condition) {
    where = where ? Condition::both(std::move(*where), std::move(condition)) : std::move(condition);
}

void QueryState::add_tenant(Value tenant, FieldKind kind) {
    const Field* field = schema->tenant();
    if (!field) throw std::logic_error(schema->table() + " has no tenant column");
    if (field->ops->value().kind != kind) {
        throw std::logic_error("the tenant of " + schema->table() + " is another type of key");
    }
    std::vector<Value> values;
    values.push_back(std::move(tenant));
    add(Condition::comparing(*field, Compare::eq, std::move(values)));
    tenant_decided = true;
}

void QueryState::check() const {
    if (schema->tenant() && !tenant_decided) {
        throw std::logic_error("a query on " + schema->table() +
                               " must say for_tenant(…) or across_tenants()");
    }
}

void QueryState::paginate(std::int64_t page, std::int64_t page_size) {
    for (const Field* key : schema->primary_key()) {
        bool ordered = false;
        for (const Ordering& each : order) ordered = ordered || each.field == key;
        if (!ordered) order.push_back({key, Direction::ascending});
    }
    limit = page_size;
    offset = (page - 1) * page_size;
}

}  // namespace bennu::data
