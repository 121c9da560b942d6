#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "bennu/base/record.hpp"

namespace bennu {

/// What a Json member of a record holds, in terms of records, for `typescript`
/// (`ChannelTypes::json`): where one message has several forms, or only a part of a record.
class JsonShape {
  public:
    /// One of these, `A | B`.
    template <Record... Ts>
    static JsonShape any_of() {
        static_assert(sizeof...(Ts) > 0);
        JsonShape shape;
        (shape.records_.push_back(&ops_of<Ts>), ...);
        return shape;
    }
    /// Some fields of a record, and always those that are named. Throws std::invalid_argument for a
    /// name that is no field.
    template <Record T>
    static JsonShape part_of(std::initializer_list<std::string_view> always = {}) {
        JsonShape shape = any_of<T>();
        shape.partial_ = true;
        shape.require(always);
        return shape;
    }
    /// Any number of what it was.
    JsonShape list() && {
        list_ = true;
        return std::move(*this);
    }

    const std::vector<const FieldOps*>& records() const { return records_; }
    bool is_part() const { return partial_; }
    const std::vector<std::string_view>& always() const { return always_; }
    bool is_list() const { return list_; }

  private:
    void require(std::initializer_list<std::string_view> fields);

    std::vector<const FieldOps*> records_;
    bool partial_ = false;
    bool list_ = false;
    std::vector<std::string_view> always_;  ///< of the record's own text
};

namespace detail {

/// A member of a record's type.
struct MemberOf {
    const RecordInfo* record;
    const Field* field;
    bool operator==(const MemberOf&) const = default;
};

template <typename Member>
struct MemberParts;
template <typename T, typename C>
struct MemberParts<T C::*> {
    using Type = T;
    using Owner = C;
};

template <auto member>
MemberOf member_of() {
    using Owner = typename MemberParts<decltype(member)>::Owner;
    const Owner record{};
    const RecordInfo& info = ops_of<Owner>.record();
    for (const Field& field : info.fields) {
        if (field.of(&record) == &(record.*member)) return {&info, &field};
    }
    return {&info, nullptr};
}

}  // namespace detail
}  // namespace bennu
