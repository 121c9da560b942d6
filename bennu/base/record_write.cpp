#include "bennu/base/record_json.hpp"

namespace bennu {
namespace {

template <typename T>
const T& as(const void* field) {
    return *static_cast<const T*>(field);
}

/// Text forms never need escaping, so that they can be quoted as they are.
void append_quoted(std::string& out, std::string_view text) {
    out.append("\"").append(text) += '"';
}

void append_enum(std::string& out, const void* field, const FieldOps& ops) {
    const auto* found = ops.enum_info().find(load_integer(field, ops));
    if (found) {
        append_quoted(out, found->name);
    } else {
        out += "null";
    }
}

void append_vector(std::string& out, const void* field, const FieldOps& ops) {
    const std::size_t size = ops.container->size(field);
    out += '[';
    for (std::size_t i = 0; i < size; ++i) {
        if (i > 0) out += ',';
        write_json(out, ops.container->at(field, i), *ops.inner);
    }
    out += ']';
}

}  // namespace

void write_json(std::string& out, const void* record, const RecordInfo& info) {
    char separator = '{';
    for (const Field& field : info.fields) {
        out += separator;
        append_quoted(out, field.name);
        out += ':';
        write_json(out, field.of(record), *field.ops);
        separator = ',';
    }
    if (separator == '{') out += '{';
    out += '}';
}

void write_json(std::string& out, const void* field, const FieldOps& ops) {
    switch (ops.kind) {
        case FieldKind::boolean:
            out += as<bool>(field) ? "true" : "false";
            return;
        case FieldKind::int32:
        case FieldKind::int64:
        case FieldKind::uint16:
        case FieldKind::uint32:
            append_json_int(out, load_integer(field, ops));
            return;
        case FieldKind::uint64:
            out += std::to_string(as<std::uint64_t>(field));
            return;
        case FieldKind::number:
            append_json_double(out, as<double>(field));
            return;
        case FieldKind::string:
            append_json_string(out, as<std::string>(field));
            return;
        case FieldKind::uuid:
            out += '"';
            append_id(out, as<Id>(field));
            out += '"';
            return;
        case FieldKind::timestamp:
            append_quoted(out, to_string(as<Timestamp>(field)));
            return;
        case FieldKind::date:
            append_quoted(out, to_string(as<Date>(field)));
            return;
        case FieldKind::duration:
            append_quoted(out, to_string(as<Duration>(field)));
            return;
        case FieldKind::money:
            out += to_string(as<Money>(field));
            return;
        case FieldKind::secret:
            append_quoted(out, Secret::mask);
            return;
        case FieldKind::json:
            write_json(out, as<Json>(field));
            return;
        case FieldKind::enumeration:
            append_enum(out, field, ops);
            return;
        case FieldKind::optional:
            if (ops.container->size(field) == 0) {
                out += "null";
            } else {
                write_json(out, ops.container->at(field, 0), *ops.inner);
            }
            return;
        case FieldKind::vector:
            append_vector(out, field, ops);
            return;
        case FieldKind::record:
            write_json(out, field, ops.record());
            return;
    }
}

Json to_json_value(const void* record, const RecordInfo& info) {
    Json::Object members;
    members.reserve(info.fields.size());
    for (const Field& field : info.fields) {
        members.push_back({std::string(field.name), to_json_value(field.of(record), *field.ops)});
    }
    return Json(std::move(members));
}

Json to_json_value(const void* field, const FieldOps& ops) {
    switch (ops.kind) {
        case FieldKind::boolean:
            return as<bool>(field);
        case FieldKind::int32:
        case FieldKind::int64:
        case FieldKind::uint16:
        case FieldKind::uint32:
            return load_integer(field, ops);
        case FieldKind::uint64:
            return as<std::uint64_t>(field);
        case FieldKind::number:
            return as<double>(field);
        case FieldKind::string:
            return as<std::string>(field);
        case FieldKind::uuid:
            return to_string(as<Id>(field));
        case FieldKind::timestamp:
            return to_string(as<Timestamp>(field));
        case FieldKind::date:
            return to_string(as<Date>(field));
        case FieldKind::duration:
            return to_string(as<Duration>(field));
        case FieldKind::secret:
            return Secret::mask;
        case FieldKind::json:
            return as<Json>(field);
        case FieldKind::money: {
            const std::int64_t hundredths = as<Money>(field).hundredths;
            if (hundredths % 100 == 0) return hundredths / 100;
            return static_cast<double>(hundredths) / 100;
        }
        case FieldKind::enumeration: {
            const auto* found = ops.enum_info().find(load_integer(field, ops));
            return found ? Json(found->name) : Json();
        }
        case FieldKind::optional:
            if (ops.container->size(field) == 0) return nullptr;
            return to_json_value(ops.container->at(field, 0), *ops.inner);
        case FieldKind::vector: {
            Json::Array items;
            const std::size_t size = ops.container->size(field);
            items.reserve(size);
            for (std::size_t i = 0; i < size; ++i) {
                items.push_back(to_json_value(ops.container->at(field, i), *ops.inner));
            }
            return Json(std::move(items));
        }
        case FieldKind::record:
            return to_json_value(field, ops.record());
    }
    return nullptr;
}

}  // namespace bennu
