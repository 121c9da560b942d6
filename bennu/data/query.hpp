#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "bennu/data/condition.hpp"

namespace bennu {

enum class Direction : std::uint8_t { ascending, descending };

namespace data {

struct Ordering {
    const Field* field;
    Direction direction;
};

/// A query without its record's type.
struct QueryState {
    const Schema* schema;
    std::optional<Condition> where;
    std::vector<Ordering> order;
    std::optional<std::int64_t> limit;
    std::int64_t offset = 0;
    bool tenant_decided = false;

    void add(Condition condition);
    /// Adds the tenant's condition; a schema without a tenant, or a key of another type, is a
    /// fault.
    void add_tenant(Value tenant, FieldKind kind);
    /// A query on rows of tenants that says neither whose nor all is a fault.
    void check() const;
    void paginate(std::int64_t page, std::int64_t page_size);
};

}  // namespace data

template <Record T>
struct Order {
    data::Ordering ordering;
};
template <Record T, typename M>
Order<T> asc(M T::* member) {
    return {{&member_field(member), Direction::ascending}};
}
template <Record T, typename M>
Order<T> desc(M T::* member) {
    return {{&member_field(member), Direction::descending}};
}

/// Which rows of T, in which order. A value: every call returns an extended copy (or moves).
///
///     from<Asset>().where(col(&Asset::status) == AssetStatus::assigned).order_by(asc(&Asset::tag))
template <Stored T>
class Query {
  public:
    Query() : state_{.schema = &schema_of<T>()} {}

    /// Rows must meet this too.
    [[nodiscard]] Query where(Where<T> condition) && {
        state_.add(std::move(condition).take());
        return std::move(*this);
    }
    /// A comparison whose field was looked up by name; the value is in the column's form (see
    /// `get_value`).
    [[nodiscard]] Query where_field(const Field& field, Compare compare,
                                    std::vector<Value> values) && {
        state_.add(data::Condition::comparing(field, compare, std::move(values)));
        return std::move(*this);
    }
    /// Rows of one tenant only.
    template <typename V>
    [[nodiscard]] Query for_tenant(const V& tenant) && {
        state_.add_tenant(data::to_value(tenant), kind_of<V>());
        return std::move(*this);
    }
    /// Says that rows of every tenant are meant.
    [[nodiscard]] Query across_tenants() && {
        state_.tenant_decided = true;
        return std::move(*this);
    }
    template <typename... O>
    [[nodiscard]] Query order_by(Order<T> first, O... rest) && {
        state_.order.push_back(first.ordering);
        (state_.order.push_back(Order<T>(rest).ordering), ...);
        return std::move(*this);
    }
    [[nodiscard]] Query order_by_field(const Field& field, Direction direction) && {
        state_.order.push_back({&field, direction});
        return std::move(*this);
    }
    [[nodiscard]] Query limit(std::int64_t rows) && {
        state_.limit = rows;
        return std::move(*this);
    }
    [[nodiscard]] Query offset(std::int64_t rows) && {
        state_.offset = rows;
        return std::move(*this);
    }

    /// The page'th page (from 1). The primary key decides between equal rows, so that pages neither
    /// repeat nor skip one.
    [[nodiscard]] Query paged(std::int64_t page, std::int64_t page_size) && {
        state_.paginate(page, page_size);
        return std::move(*this);
    }

    [[nodiscard]] Query where(Where<T> condition) const& {
        return Query(*this).where(std::move(condition));
    }
    [[nodiscard]] Query where_field(const Field& field, Compare compare,
                                    std::vector<Value> values) const& {
        return Query(*this).where_field(field, compare, std::move(values));
    }
    template <typename V>
    [[nodiscard]] Query for_tenant(const V& tenant) const& {
        return Query(*this).for_tenant(tenant);
    }
    [[nodiscard]] Query across_tenants() const& { return Query(*this).across_tenants(); }
    template <typename... O>
    [[nodiscard]] Query order_by(Order<T> first, O... rest) const& {
        return Query(*this).order_by(first, rest...);
    }
    [[nodiscard]] Query order_by_field(const Field& field, Direction direction) const& {
        return Query(*this).order_by_field(field, direction);
    }
    [[nodiscard]] Query limit(std::int64_t rows) const& { return Query(*this).limit(rows); }
    [[nodiscard]] Query offset(std::int64_t rows) const& { return Query(*this).offset(rows); }

    const data::QueryState& state() const& { return state_; }
    data::QueryState state() && { return std::move(state_); }
    data::QueryState& mutable_state() { return state_; }

  private:
    template <typename V>
    static constexpr FieldKind kind_of() {
        if constexpr (std::convertible_to<const V&, std::string_view>) {
            return FieldKind::string;
        } else {
            return ops_of<V>.kind;
        }
    }
    data::QueryState state_;
};

template <Stored T>
Query<T> from() {
    return Query<T>();
}

/// New values of columns, for `update_all`: `set(&Asset::status, AssetStatus::retired)`.
template <Record T>
class Set {
  public:
    template <typename M, typename U>
        requires data::ComparableWith<data::ColumnValue<M>, std::decay_t<U>>
    Set&& set(M T::* member, const U& value) && {
        values_.emplace_back(&member_field(member),
                             data::column_value<data::ColumnValue<M>>(value));
        return std::move(*this);
    }
    template <typename V>
    Set&& set(std::optional<V> T::* member, std::nullopt_t) && {
        values_.emplace_back(&member_field(member), Value());
        return std::move(*this);
    }
    template <typename V>
    Set&& set(std::optional<V> T::* member, const std::optional<V>& value) && {
        values_.emplace_back(&member_field(member), value ? data::to_value(*value) : Value());
        return std::move(*this);
    }
    const std::vector<std::pair<const Field*, Value>>& values() const { return values_; }

  private:
    std::vector<std::pair<const Field*, Value>> values_;
};
template <Record T, typename M, typename U>
Set<T> set(M T::* member, const U& value) {
    return Set<T>().set(member, value);
}

}  // namespace bennu
