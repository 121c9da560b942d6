#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bennu/base/for_each.hpp"
#include "bennu/base/id.hpp"
#include "bennu/base/json.hpp"
#include "bennu/base/money.hpp"
#include "bennu/base/secret.hpp"
#include "bennu/base/time.hpp"

namespace bennu {

/// The C++ types that a record's member may have.
enum class FieldKind : std::uint8_t {
    boolean,      ///< bool
    int32,        ///< int, std::int32_t
    int64,        ///< std::int64_t, long long
    uint16,       ///< std::uint16_t
    uint32,       ///< std::uint32_t
    uint64,       ///< std::uint64_t, std::size_t
    number,       ///< double
    string,       ///< std::string
    uuid,         ///< Id
    timestamp,    ///< Timestamp
    date,         ///< Date
    duration,     ///< Duration
    money,        ///< Money
    secret,       ///< Secret
    json,         ///< Json
    enumeration,  ///< an enum named by BENNU_ENUM
    optional,     ///< std::optional of any of these
    vector,       ///< std::vector of any of these
    record,       ///< a struct named by BENNU_RECORD
};

struct FieldOps;
struct RecordInfo;

/// The names of an enum, in order of declaration. Enumerators written with a trailing underscore
/// because their name is a C++ keyword (`new_`) go by the name without it.
struct EnumInfo {
    struct Enumerator {
        std::string_view name;
        std::int64_t value;
    };
    std::string_view name;
    std::span<const Enumerator> enumerators;
    std::size_t size;  ///< of the C++ type in bytes
    bool is_unsigned;

    const Enumerator* find(std::string_view enumerator) const;
    const Enumerator* find(std::int64_t value) const;
    /// "in_stock, assigned, retired", for messages.
    std::string names() const;
};

/// Operations on a `std::optional<T>` or `std::vector<T>` behind a pointer; unset for other kinds.
struct ContainerOps {
    /// optional: whether there is a value, and where; vector: element count and place.
    std::size_t (*size)(const void* container);
    const void* (*at)(const void* container, std::size_t index);
    /// optional: engages it; vector: appends. Returns the new default-constructed value.
    void* (*emplace)(void* container);
    void (*clear)(void* container);
};

/// Everything that a walker must know about a C++ type: one constant table per type.
struct FieldOps {
    FieldKind kind;
    std::uint32_t size;
    const FieldOps* inner = nullptr;           ///< of optional and vector
    const ContainerOps* container = nullptr;   ///< of optional and vector
    const EnumInfo& (*enum_info)() = nullptr;  ///< of enumeration
    const RecordInfo& (*record)() = nullptr;   ///< of record

    bool is_optional() const { return kind == FieldKind::optional; }
    /// The ops of the value itself: of T for `std::optional<T>`.
    const FieldOps& value() const { return is_optional() ? *inner : *this; }
};

/// One member of a record.
struct Field {
    std::string_view name;
    std::uint32_t offset;
    const FieldOps* ops;

    const void* of(const void* record) const {
        return static_cast<const std::byte*>(record) + offset;
    }
    void* of(void* record) const { return static_cast<std::byte*>(record) + offset; }
};

/// A record's type: what BENNU_RECORD makes.
struct RecordInfo {
    std::string_view name;
    std::span<const Field> fields;
    std::size_t size;
    void (*construct)(void* storage);
    void (*destroy)(void* record) noexcept;
    void (*assign)(void* to, const void* from);

    /// nullptr when there is no such field.
    const Field* find(std::string_view field) const;
};

/// A struct that BENNU_RECORD has named, an enum that BENNU_ENUM has named.
template <typename T>
concept Record = requires { bennu_record_info(static_cast<const T*>(nullptr)); };
template <typename T>
concept Enum = std::is_enum_v<T> && requires { bennu_enum_info(static_cast<const T*>(nullptr)); };

template <Record T>
constexpr const RecordInfo& record_of() {
    return bennu_record_info(static_cast<const T*>(nullptr));
}
template <Enum T>
constexpr const EnumInfo& enum_of() {
    return bennu_enum_info(static_cast<const T*>(nullptr));
}
/// The type's name without its namespace, as written in the macro.
template <Record T>
constexpr std::string_view type_name() {
    return record_of<T>().name;
}

namespace detail {
/// Storage that member pointers are measured against; never read.
template <typename T>
struct OffsetBase {
    alignas(T) static constexpr char bytes[sizeof(T)] = {};
};
}  // namespace detail

/// The field that a member pointer names; a member that is not in the record's list is a fault
/// (throws).
const Field& field_at(const RecordInfo& record, std::size_t offset);
template <Record T, typename M>
const Field& member_field(M T::* member) {
    const char* base = detail::OffsetBase<T>::bytes;
    const char* place = reinterpret_cast<const char*>(&(reinterpret_cast<const T*>(base)->*member));
    return field_at(record_of<T>(), static_cast<std::size_t>(place - base));
}

/// Whether two values of the type are equal; records are compared field by field.
bool field_equal(const void* a, const void* b, const FieldOps& ops);
bool record_equal(const void* a, const void* b, const RecordInfo& record);
template <Record T>
bool record_equal(const T& a, const T& b) {
    return record_equal(&a, &b, record_of<T>());
}

/// Reads and writes a boolean, an integer kind or an enumeration of any size (uint64 by its bits).
std::int64_t load_integer(const void* field, const FieldOps& ops);
void store_integer(void* field, const FieldOps& ops, std::int64_t value);

/// `to_string(AssetStatus::in_stock)` is "in_stock"; "" for a value without a name.
template <Enum T>
std::string_view enum_name(T value) {
    const EnumInfo::Enumerator* found = enum_of<T>().find(static_cast<std::int64_t>(value));
    return found ? found->name : std::string_view();
}
template <Enum T>
std::optional<T> enum_from(std::string_view name) {
    const EnumInfo::Enumerator* found = enum_of<T>().find(name);
    return found ? std::optional(static_cast<T>(found->value)) : std::nullopt;
}

namespace detail {

constexpr std::string_view short_type_name(std::string_view name) {
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}
constexpr std::string_view field_name(std::string_view name) {
    return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

template <typename T>
struct ScalarKind;
template <FieldKind kind>
struct KindIs {
    static constexpr FieldKind value = kind;
};
template <>
struct ScalarKind<bool> : KindIs<FieldKind::boolean> {};
template <>
struct ScalarKind<int> : KindIs<FieldKind::int32> {};
template <>
struct ScalarKind<long> : KindIs<FieldKind::int64> {};
template <>
struct ScalarKind<long long> : KindIs<FieldKind::int64> {};
template <>
struct ScalarKind<unsigned short> : KindIs<FieldKind::uint16> {};
template <>
struct ScalarKind<unsigned> : KindIs<FieldKind::uint32> {};
template <>
struct ScalarKind<unsigned long> : KindIs<FieldKind::uint64> {};
template <>
struct ScalarKind<unsigned long long> : KindIs<FieldKind::uint64> {};
template <>
struct ScalarKind<double> : KindIs<FieldKind::number> {};
template <>
struct ScalarKind<std::string> : KindIs<FieldKind::string> {};
template <>
struct ScalarKind<Id> : KindIs<FieldKind::uuid> {};
template <>
struct ScalarKind<Timestamp> : KindIs<FieldKind::timestamp> {};
template <>
struct ScalarKind<Date> : KindIs<FieldKind::date> {};
template <>
struct ScalarKind<Duration> : KindIs<FieldKind::duration> {};
template <>
struct ScalarKind<Money> : KindIs<FieldKind::money> {};
template <>
struct ScalarKind<Secret> : KindIs<FieldKind::secret> {};
template <>
struct ScalarKind<Json> : KindIs<FieldKind::json> {};

template <typename T>
struct OpsOf {
    static constexpr FieldOps make() {
        if constexpr (requires { ScalarKind<T>::value; }) {
            return {ScalarKind<T>::value, sizeof(T)};
        } else if constexpr (std::is_enum_v<T>) {
            static_assert(Enum<T>, "name this enum with BENNU_ENUM before the record that uses it");
            return {.kind = FieldKind::enumeration, .size = sizeof(T), .enum_info = &enum_of<T>};
        } else {
            static_assert(
                Record<T>,
                "a record's member must be a basic type, or a struct that BENNU_RECORD names");
            return {.kind = FieldKind::record, .size = sizeof(T), .record = &record_of<T>};
        }
    }
    static constexpr FieldOps ops = make();
};

template <typename T>
struct OpsOf<std::optional<T>> {
    using C = std::optional<T>;
    static constexpr ContainerOps container{
        [](const void* c) { return std::size_t{static_cast<const C*>(c)->has_value()}; },
        [](const void* c, std::size_t) -> const void* { return &**static_cast<const C*>(c); },
        [](void* c) -> void* { return &static_cast<C*>(c)->emplace(); },
        [](void* c) { static_cast<C*>(c)->reset(); }};
    static constexpr FieldOps ops{FieldKind::optional, sizeof(C), &OpsOf<T>::ops, &container};
};

template <typename T>
struct OpsOf<std::vector<T>> {
    static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no addressable elements");
    using C = std::vector<T>;
    static constexpr ContainerOps container{
        [](const void* c) { return static_cast<const C*>(c)->size(); },
        [](const void* c, std::size_t i) -> const void* { return &(*static_cast<const C*>(c))[i]; },
        [](void* c) -> void* { return &static_cast<C*>(c)->emplace_back(); },
        [](void* c) { static_cast<C*>(c)->clear(); }};
    static constexpr FieldOps ops{FieldKind::vector, sizeof(C), &OpsOf<T>::ops, &container};
};

template <typename T>
inline constexpr RecordInfo make_record_info(std::string_view name, std::span<const Field> fields) {
    return {short_type_name(name),
            fields,
            sizeof(T),
            [](void* storage) { ::new (storage) T(); },
            [](void* record) noexcept { static_cast<T*>(record)->~T(); },
            [](void* to, const void* from) {
                if constexpr (std::is_copy_assignable_v<T>) {
                    *static_cast<T*>(to) = *static_cast<const T*>(from);
                }
            }};
}

}  // namespace detail

/// The table of a C++ type.
template <typename T>
inline constexpr const FieldOps& ops_of = detail::OpsOf<T>::ops;

}  // namespace bennu

#define BENNU_RECORD_FIELD(Type, member)                               \
    ::bennu::Field{::bennu::detail::field_name(#member),               \
                   static_cast<std::uint32_t>(offsetof(Type, member)), \
                   &::bennu::detail::OpsOf<decltype(Type::member)>::ops},

/// Names the members of a plain struct, once, in its namespace, right after it. Every walker (JSON,
/// forms, rows, types) reads the table that this makes; a member that is not listed does not exist
/// for them. Up to 64 members. A name that is a C++ keyword is spelled with a trailing underscore
/// (`class_`), which the outside does not see.
#define BENNU_RECORD(Type, ...)                                           \
    constexpr const ::bennu::RecordInfo& bennu_record_info(const Type*) { \
        static constexpr ::bennu::Field fields[] = {                      \
            BENNU_FOR_EACH(BENNU_RECORD_FIELD, Type, __VA_ARGS__)};       \
        static constexpr ::bennu::RecordInfo info =                       \
            ::bennu::detail::make_record_info<Type>(#Type, fields);       \
        return info;                                                      \
    }

#define BENNU_ENUM_VALUE(Type, enumerator)                                  \
    ::bennu::EnumInfo::Enumerator{::bennu::detail::field_name(#enumerator), \
                                  static_cast<std::int64_t>(Type::enumerator)},

/// Names the enumerators of an enum, once, in its namespace.
#define BENNU_ENUM(Type, ...)                                                                      \
    constexpr const ::bennu::EnumInfo& bennu_enum_info(const Type*) {                              \
        static constexpr ::bennu::EnumInfo::Enumerator enumerators[] = {                           \
            BENNU_FOR_EACH(BENNU_ENUM_VALUE, Type, __VA_ARGS__)};                                  \
        static constexpr ::bennu::EnumInfo info{::bennu::detail::short_type_name(#Type),           \
                                                enumerators, sizeof(Type),                         \
                                                std::is_unsigned_v<std::underlying_type_t<Type>>}; \
        return info;                                                                               \
    }
