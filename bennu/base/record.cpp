#include "bennu/base/record.hpp"

#include <stdexcept>

namespace bennu {

const EnumInfo::Enumerator* EnumInfo::find(std::string_view enumerator) const {
    for (const Enumerator& candidate : enumerators) {
        if (candidate.name == enumerator) return &candidate;
    }
    return nullptr;
}

const EnumInfo::Enumerator* EnumInfo::find(std::int64_t value) const {
    for (const Enumerator& candidate : enumerators) {
        if (candidate.value == value) return &candidate;
    }
    return nullptr;
}

std::string EnumInfo::names() const {
    std::string list;
    for (const Enumerator& enumerator : enumerators) {
        if (!list.empty()) list += ", ";
        list += enumerator.name;
    }
    return list;
}

const Field* RecordInfo::find(std::string_view field) const {
    for (const Field& candidate : fields) {
        if (candidate.name == field) return &candidate;
    }
    return nullptr;
}

const Field& field_at(const RecordInfo& record, std::size_t offset) {
    for (const Field& field : record.fields) {
        if (field.offset == offset) return field;
    }
    throw std::logic_error("the record " + std::string(record.name) +
                           " does not list that member in BENNU_RECORD");
}

namespace {

template <typename T>
const T& as(const void* field) {
    return *static_cast<const T*>(field);
}
template <typename T>
T load(const void* field) {
    T value;
    std::memcpy(&value, field, sizeof value);
    return value;
}
template <typename T>
void store(void* field, std::int64_t value) {
    const T narrowed = static_cast<T>(value);
    std::memcpy(field, &narrowed, sizeof narrowed);
}

bool container_equal(const void* a, const void* b, const FieldOps& ops) {
    const std::size_t size = ops.container->size(a);
    if (size != ops.container->size(b)) return false;
    for (std::size_t i = 0; i < size; ++i) {
        if (!field_equal(ops.container->at(a, i), ops.container->at(b, i), *ops.inner))
            return false;
    }
    return true;
}

}  // namespace

bool field_equal(const void* a, const void* b, const FieldOps& ops) {
    switch (ops.kind) {
        case FieldKind::boolean:
        case FieldKind::int32:
        case FieldKind::int64:
        case FieldKind::uint16:
        case FieldKind::uint32:
        case FieldKind::uint64:
        case FieldKind::uuid:
        case FieldKind::timestamp:
        case FieldKind::date:
        case FieldKind::duration:
        case FieldKind::money:
        case FieldKind::enumeration:
            return std::memcmp(a, b, ops.size) == 0;
        case FieldKind::number:
            return as<double>(a) == as<double>(b);
        case FieldKind::string:
            return as<std::string>(a) == as<std::string>(b);
        case FieldKind::secret:
            return as<Secret>(a) == as<Secret>(b);
        case FieldKind::json:
            return as<Json>(a) == as<Json>(b);
        case FieldKind::optional:
        case FieldKind::vector:
            return container_equal(a, b, ops);
        case FieldKind::record:
            return record_equal(a, b, ops.record());
    }
    return false;
}

bool record_equal(const void* a, const void* b, const RecordInfo& record) {
    for (const Field& field : record.fields) {
        if (!field_equal(field.of(a), field.of(b), *field.ops)) return false;
    }
    return true;
}

std::int64_t load_integer(const void* field, const FieldOps& ops) {
    switch (ops.kind) {
        case FieldKind::boolean:
            return as<bool>(field) ? 1 : 0;
        case FieldKind::uint16:
            return load<std::uint16_t>(field);
        case FieldKind::uint32:
            return load<std::uint32_t>(field);
        case FieldKind::enumeration:
            if (!ops.enum_info().is_unsigned) break;
            if (ops.size == 1) return load<std::uint8_t>(field);
            if (ops.size == 2) return load<std::uint16_t>(field);
            if (ops.size == 4) return load<std::uint32_t>(field);
            break;
        default:
            break;
    }
    switch (ops.size) {
        case 1:
            return load<std::int8_t>(field);
        case 2:
            return load<std::int16_t>(field);
        case 4:
            return load<std::int32_t>(field);
        default:
            return load<std::int64_t>(field);
    }
}

void store_integer(void* field, const FieldOps& ops, std::int64_t value) {
    switch (ops.size) {
        case 1:
            return store<std::int8_t>(field, value);
        case 2:
            return store<std::int16_t>(field, value);
        case 4:
            return store<std::int32_t>(field, value);
        default:
            return store<std::int64_t>(field, value);
    }
}

}  // namespace bennu
