#include "bennu/base/record_row.hpp"

#include "bennu/base/record_json.hpp"

namespace bennu {
namespace {

template <typename T>
const T& as(const void* field) {
    return *static_cast<const T*>(field);
}

Error misfit(std::string_view message) {
    return Error(ErrorKind::invalid, "type", std::string(message));
}

/// Whether an integer fits the C++ type of that kind.
bool fits(std::int64_t value, FieldKind kind) {
    switch (kind) {
        case FieldKind::boolean:
            return value == 0 || value == 1;
        case FieldKind::int32:
        case FieldKind::date:
            return std::in_range<std::int32_t>(value);
        case FieldKind::uint16:
            return std::in_range<std::uint16_t>(value);
        case FieldKind::uint32:
            return std::in_range<std::uint32_t>(value);
        default:
            return true;
    }
}

Result<> set_integer(void* field, const FieldOps& ops, std::int64_t value) {
    switch (ops.kind) {
        case FieldKind::number:
            *static_cast<double*>(field) = static_cast<double>(value);
            return {};
        case FieldKind::json:
            *static_cast<Json*>(field) = value;
            return {};
        case FieldKind::boolean:
        case FieldKind::int32:
        case FieldKind::int64:
        case FieldKind::uint16:
        case FieldKind::uint32:
        case FieldKind::uint64:
        case FieldKind::timestamp:
        case FieldKind::duration:
        case FieldKind::money:
            if (!fits(value, ops.kind)) {
                return Error(ErrorKind::invalid, "out_of_range",
                             "the column's integer is too large");
            }
            store_integer(field, ops, value);
            return {};
        default:
            return misfit("the column holds an integer");
    }
}

Result<> set_string(void* field, const FieldOps& ops, std::string text) {
    switch (ops.kind) {
        case FieldKind::string:
            *static_cast<std::string*>(field) = std::move(text);
            return {};
        case FieldKind::secret:
            *static_cast<Secret*>(field) = Secret(std::move(text));
            return {};
        case FieldKind::json:
        case FieldKind::vector:
        case FieldKind::record: {
            Result<Json> json = parse_json(text);
            if (!json) return std::move(json).error();
            std::vector<FieldError> errors;
            if (read_field(field, ops, *json, {.unknown = Unknown::ignore}, {}, errors)) return {};
            return Error::invalid(std::move(errors));
        }
        default: {
            // Ids, dates and enums, and engines that answer with text for every type.
            std::vector<FieldError> errors;
            if (read_field(field, ops, Json(text), {.from_text = true}, {}, errors)) return {};
            return Error(ErrorKind::invalid, errors.front().code, errors.front().message);
        }
    }
}

}  // namespace

Value get_value(const void* field, const FieldOps& ops) {
    switch (ops.kind) {
        case FieldKind::boolean:
        case FieldKind::int32:
        case FieldKind::int64:
        case FieldKind::uint16:
        case FieldKind::uint32:
        case FieldKind::uint64:
        case FieldKind::timestamp:
        case FieldKind::duration:
        case FieldKind::money:
            return load_integer(field, ops);
        case FieldKind::number:
            return as<double>(field);
        case FieldKind::string:
            return as<std::string>(field);
        case FieldKind::secret:
            return std::string(as<Secret>(field).reveal());
        case FieldKind::uuid:
            return to_string(as<Id>(field));
        case FieldKind::date:
            return to_string(as<Date>(field));
        case FieldKind::json:
            if (as<Json>(field).is_null()) return {};
            return to_json(as<Json>(field));
        case FieldKind::enumeration: {
            const auto* found = ops.enum_info().find(load_integer(field, ops));
            return found ? Value(std::string(found->name)) : Value();
        }
        case FieldKind::optional:
            if (ops.container->size(field) == 0) return {};
            return get_value(ops.container->at(field, 0), *ops.inner);
        case FieldKind::vector:
        case FieldKind::record: {
            std::string out;
            write_json(out, field, ops);
            return out;
        }
    }
    return {};
}

Result<> set_value(void* field, const FieldOps& ops, Value value) {
    if (ops.is_optional()) {
        if (is_null(value)) {
            ops.container->clear(field);
            return {};
        }
        return set_value(ops.container->emplace(field), *ops.inner, std::move(value));
    }
    if (is_null(value)) {
        if (ops.kind != FieldKind::json) {
            return Error(ErrorKind::invalid, "required", "the column is null");
        }
        *static_cast<Json*>(field) = nullptr;
        return {};
    }
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        return set_integer(field, ops, *integer);
    }
    if (const auto* number = std::get_if<double>(&value)) {
        if (ops.kind != FieldKind::number) return misfit("the column holds a real number");
        *static_cast<double*>(field) = *number;
        return {};
    }
    if (auto* text = std::get_if<std::string>(&value))
        return set_string(field, ops, std::move(*text));
    return misfit("the column holds a blob");
}

}  // namespace bennu
