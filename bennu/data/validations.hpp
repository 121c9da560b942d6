#pragma once

#include <limits>

#include "bennu/data/changeset.hpp"
#include "bennu/data/condition.hpp"

namespace bennu {

struct Length {
    std::size_t min = 0;
    std::size_t max = std::numeric_limits<std::size_t>::max();
};

/// Bounds of a value, both included.
template <typename V>
struct Range {
    std::optional<V> min = {};
    std::optional<V> max = {};
};

namespace data {
void check_required(const void* record, const Field& field, ChangeState& state);
/// Text counts in code points, vectors in elements.
void check_length(const void* record, const Field& field, Length length, ChangeState& state);
bool wants_check(const Field& field, const ChangeState& state);
/// The value for messages, as JSON writes it, without quotes.
std::string value_text(const void* value, const FieldOps& ops);

/// The value behind a member: nullptr for an absent optional.
template <typename M>
const ColumnValue<M>* value_of(const M& member) {
    if constexpr (std::same_as<M, ColumnValue<M>>) {
        return &member;
    } else {
        return member ? &*member : nullptr;
    }
}
}  // namespace data

/// Calls `check(value, fail)` for a changed field that has a value; `fail(code, message)` reports.
template <Record T, typename M, typename F>
Validation<T> check_field(M T::* member, F check) {
    return {[member, check = std::move(check)](const T& record, data::ChangeState& state) {
        const Field& field = member_field(member);
        const auto* value = data::value_of(record.*member);
        if (!value || !data::wants_check(field, state)) return;
        check(*value, [&](std::string code, std::string message) {
            state.add_error(field, std::move(code), std::move(message));
        });
    }};
}

/// Blank text, an absent optional, a nil id or an empty list: code `required`.
template <Record T, typename M, typename... Rest>
Validation<T> required(M T::* first, Rest... rest) {
    return {[fields = Fields<T>{first, rest...}](const T& record, data::ChangeState& state) {
        for (const Field* field : fields.list()) data::check_required(&record, *field, state);
    }};
}

/// Codes `too_short`, `too_long`.
template <Record T, typename M>
Validation<T> length(M T::* member, Length length) {
    return {[member, length](const T& record, data::ChangeState& state) {
        data::check_length(&record, member_field(member), length, state);
    }};
}

/// Code `out_of_range`.
template <Record T, typename M>
Validation<T> range(M T::* member, Range<data::ColumnValue<M>> bounds) {
    return check_field(member, [bounds](const auto& value, auto fail) {
        using V = data::ColumnValue<M>;
        if (bounds.min && value < *bounds.min) {
            fail("out_of_range", "must be at least " + data::value_text(&*bounds.min, ops_of<V>));
        } else if (bounds.max && *bounds.max < value) {
            fail("out_of_range", "must be at most " + data::value_text(&*bounds.max, ops_of<V>));
        }
    });
}

/// Code `format`: `predicate(text)` says no.
template <Record T, typename M, typename P>
Validation<T> format(M T::* member, P predicate, std::string message = "has invalid format") {
    return check_field(member,
                       [predicate = std::move(predicate), message](const auto& value, auto fail) {
                           if (!predicate(value)) fail("format", message);
                       });
}

/// Codes `not_one_of`, `reserved`.
template <Record T, typename M>
Validation<T> inclusion(M T::* member, std::vector<data::ColumnValue<M>> allowed) {
    return check_field(member, [allowed = std::move(allowed)](const auto& value, auto fail) {
        if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
            fail("not_one_of", "is invalid");
        }
    });
}
template <Record T, typename M>
Validation<T> exclusion(M T::* member, std::vector<data::ColumnValue<M>> reserved) {
    return check_field(member, [reserved = std::move(reserved)](const auto& value, auto fail) {
        if (std::find(reserved.begin(), reserved.end(), value) != reserved.end()) {
            fail("reserved", "is reserved");
        }
    });
}

}  // namespace bennu
