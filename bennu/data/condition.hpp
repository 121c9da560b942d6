#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/record_row.hpp"
#include "bennu/data/schema.hpp"

namespace bennu {

/// How a column is compared.
enum class Compare : std::uint8_t { eq, ne, lt, le, gt, ge, in, is_null, contains, starts_with };

namespace data {

/// A boolean expression over columns, with its values; the same for every record and engine.
struct Condition {
    enum class Kind : std::uint8_t { compare, all, any, negation };

    Kind kind = Kind::compare;
    Compare compare = Compare::eq;
    const Field* field = nullptr;
    std::vector<Value> values;
    std::vector<Condition> operands;

    static Condition comparing(const Field& field, Compare compare, std::vector<Value> values);
    static Condition both(Condition a, Condition b);
    static Condition either(Condition a, Condition b);
    static Condition negated(Condition a);
};

template <typename M>
struct Unwrapped {
    using type = M;
};
template <typename V>
struct Unwrapped<std::optional<V>> {
    using type = V;
};
/// The value type of a column: V for `std::optional<V>`.
template <typename M>
using ColumnValue = typename Unwrapped<M>::type;

/// Whether a column of V may be compared with a U: the same type, any text with text, whole numbers
/// with whole numbers, doubles with any number. Nothing else, so that no value is silently
/// converted.
template <typename V, typename U>
concept ComparableWith =
    std::same_as<V, U> ||
    (std::same_as<V, std::string> && std::convertible_to<U, std::string_view>) ||
    (std::integral<V> && !std::same_as<V, bool> && std::integral<U> && !std::same_as<U, bool>) ||
    (std::floating_point<V> && (std::integral<U> || std::floating_point<U>) &&
     !std::same_as<U, bool>);

/// Any scalar as a database value.
template <typename U>
Value to_value(const U& value) {
    if constexpr (std::convertible_to<const U&, std::string_view>) {
        return Value(std::string(std::string_view(value)));
    } else {
        return get_value(&value, ops_of<U>);
    }
}
/// The same, as a column of V would store it.
template <typename V, typename U>
Value column_value(const U& value) {
    if constexpr (std::same_as<V, U> || std::same_as<V, std::string>) {
        return to_value(value);
    } else if constexpr (std::integral<V>) {
        return Value(static_cast<std::int64_t>(value));
    } else {
        return Value(static_cast<double>(value));
    }
}

}  // namespace data

/// A condition on rows of T. Combine with `&&`, `||`, `!`.
template <Record T>
class Where {
  public:
    explicit Where(data::Condition condition) : condition_(std::move(condition)) {}
    friend Where operator&&(Where a, Where b) {
        return Where(data::Condition::both(std::move(a.condition_), std::move(b.condition_)));
    }
    friend Where operator||(Where a, Where b) {
        return Where(data::Condition::either(std::move(a.condition_), std::move(b.condition_)));
    }
    friend Where operator!(Where a) {
        return Where(data::Condition::negated(std::move(a.condition_)));
    }
    data::Condition take() && { return std::move(condition_); }

  private:
    data::Condition condition_;
};

/// A column of T whose member is an M. Comparing it with a value of another type does not compile.
/// An absent optional is null: `==` never matches it, `!=` does.
template <Record T, typename M>
class Column {
  public:
    using V = data::ColumnValue<M>;
    explicit Column(const Field& field) : field_(&field) {}

    template <typename U>
        requires data::ComparableWith<V, std::decay_t<U>>
    friend Where<T> operator==(Column column, const U& value) {
        return column.compared(Compare::eq, value);
    }
    template <typename U>
        requires data::ComparableWith<V, std::decay_t<U>>
    friend Where<T> operator!=(Column column, const U& value) {
        return column.compared(Compare::ne, value);
    }
    template <typename U>
        requires data::ComparableWith<V, std::decay_t<U>>
    friend Where<T> operator<(Column column, const U& value) {
        return column.compared(Compare::lt, value);
    }
    template <typename U>
        requires data::ComparableWith<V, std::decay_t<U>>
    friend Where<T> operator<=(Column column, const U& value) {
        return column.compared(Compare::le, value);
    }
    template <typename U>
        requires data::ComparableWith<V, std::decay_t<U>>
    friend Where<T> operator>(Column column, const U& value) {
        return column.compared(Compare::gt, value);
    }
    template <typename U>
        requires data::ComparableWith<V, std::decay_t<U>>
    friend Where<T> operator>=(Column column, const U& value) {
        return column.compared(Compare::ge, value);
    }

    /// One of the values; none of them matches nothing.
    Where<T> in(std::initializer_list<V> values) const { return one_of(values); }
    Where<T> in(const std::vector<V>& values) const { return one_of(values); }
    Where<T> is_null() const { return made(Compare::is_null, {}); }
    Where<T> is_not_null() const { return !is_null(); }
    /// Text that contains, or begins with, exactly this text; ASCII letters match in both cases.
    Where<T> contains(std::string_view text) const
        requires std::same_as<V, std::string>
    {
        return made(Compare::contains, {Value(std::string(text))});
    }
    Where<T> starts_with(std::string_view text) const
        requires std::same_as<V, std::string>
    {
        return made(Compare::starts_with, {Value(std::string(text))});
    }

    const Field& field() const { return *field_; }

  private:
    template <typename U>
    Where<T> compared(Compare compare, const U& value) const {
        return made(compare, {data::column_value<V>(value)});
    }
    template <typename R>
    Where<T> one_of(const R& range) const {
        std::vector<Value> values;
        for (const V& each : range) values.push_back(data::to_value(each));
        return made(Compare::in, std::move(values));
    }
    Where<T> made(Compare compare, std::vector<Value> values) const {
        return Where<T>(data::Condition::comparing(*field_, compare, std::move(values)));
    }
    const Field* field_;
};

/// `col(&Asset::status)`.
template <Record T, typename M>
Column<T, M> col(M T::* member) {
    return Column<T, M>(member_field(member));
}

}  // namespace bennu
