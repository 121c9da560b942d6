#include <algorithm>

#include "bennu/data/engine.hpp"

namespace bennu::data {

namespace {

bool same_columns(const Constraint& constraint, const std::vector<std::string>& columns) {
    if (constraint.fields.size() != columns.size()) return false;
    return std::ranges::all_of(constraint.fields, [&](const Field* field) {
        return std::ranges::find(columns, field->name) != columns.end();
    });
}

Error field_error(const Constraint& constraint) {
    return Error::field(std::string(constraint.blamed->name), constraint.code, constraint.message);
}

Error unique_error(const Violation& violation, const Schema* schema) {
    if (schema) {
        for (const Constraint& each : schema->uniques()) {
            if (each.name == violation.constraint || same_columns(each, violation.columns)) {
                return field_error(each);
            }
        }
    }
    if (violation.columns.empty()) {
        return Error(ErrorKind::conflict, "taken", "there is such a row already");
    }
    return Error::field(violation.columns.back(), "taken", "has already been taken");
}

}  // namespace

Error violation_error(const Violation& violation, const Schema* schema) {
    switch (violation.kind) {
        case Violation::Kind::unique:
            return unique_error(violation, schema);
        case Violation::Kind::foreign_key:
            return Error(ErrorKind::conflict, "foreign_key",
                         "a row that this refers to is not there, or this row is referred to");
        case Violation::Kind::not_null:
            if (violation.columns.empty()) break;
            return Error::field(violation.columns.front(), "required", "can't be blank");
        case Violation::Kind::check:
            if (schema) {
                for (const Constraint& each : schema->checks()) {
                    if (each.name == violation.constraint) return field_error(each);
                }
            }
            return Error(ErrorKind::invalid, "check",
                         "the rule " + violation.constraint + " refuses this");
        case Violation::Kind::other:
            break;
    }
    return Error(ErrorKind::invalid, "constraint", violation.message);
}

}  // namespace bennu::data
