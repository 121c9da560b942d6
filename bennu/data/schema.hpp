#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/record.hpp"
#include "bennu/base/value.hpp"

namespace bennu {

/// One member of T by its pointer, without the member's type: `{&Asset::name, &Asset::cost}`.
template <Record T>
class FieldOf {
  public:
    template <typename M>
    FieldOf(M T::* member) : field_(&member_field(member)) {}
    const Field& field() const { return *field_; }

  private:
    const Field* field_;
};

/// Several members of T.
template <Record T>
class Fields {
  public:
    Fields() = default;
    Fields(std::initializer_list<FieldOf<T>> fields) {
        for (const FieldOf<T>& each : fields) list_.push_back(&each.field());
    }
    /// These and others.
    Fields with(const Fields& others) const {
        Fields all = *this;
        all.list_.insert(all.list_.end(), others.list_.begin(), others.list_.end());
        return all;
    }
    const std::vector<const Field*>& list() const { return list_; }

  private:
    std::vector<const Field*> list_;
};

/// A unique or check constraint of the table, and the field that its violation is reported on.
struct Constraint {
    std::string name;
    std::vector<const Field*> fields;  ///< of a unique constraint; empty for a check
    const Field* blamed = nullptr;
    std::string code;
    std::string message;
};

/// A foreign key of one column.
struct Reference {
    const Field* field;
    std::string table;
    std::string column;
};

/// The database's facts about a record: which table, which columns, which constraints. Immutable
/// once made; lives as long as the program.
class Schema {
  public:
    Schema(std::string table, const RecordInfo& record);

    const std::string& table() const { return table_; }
    const RecordInfo& record() const { return *record_; }
    /// The stored fields, in the record's order.
    const std::vector<const Field*>& columns() const { return columns_; }
    const Field* column(std::string_view name) const;
    /// `id` unless it was said; empty when there is neither.
    const std::vector<const Field*>& primary_key() const { return primary_key_; }
    /// The only primary key column; a table with none or several is a fault.
    const Field& key() const;
    const Field* tenant() const { return tenant_; }
    const Field* inserted_at() const { return inserted_at_; }
    const Field* updated_at() const { return updated_at_; }
    const std::vector<Constraint>& uniques() const { return uniques_; }
    const std::vector<Constraint>& checks() const { return checks_; }
    const std::vector<Reference>& references() const { return references_; }
    bool is_primary_key(const Field& field) const;

  private:
    template <Record T>
    friend class SchemaBuilder;

    std::string table_;
    const RecordInfo* record_;
    std::vector<const Field*> columns_;
    std::vector<const Field*> primary_key_;
    const Field* tenant_ = nullptr;
    const Field* inserted_at_ = nullptr;
    const Field* updated_at_ = nullptr;
    std::vector<Constraint> uniques_;
    std::vector<Constraint> checks_;
    std::vector<Reference> references_;
};

/// What `schema<T>("table")` starts; every call adds one fact.
template <Record T>
class SchemaBuilder {
  public:
    explicit SchemaBuilder(std::string_view table) : schema_(std::string(table), record_of<T>()) {}

    SchemaBuilder&& primary_key(Fields<T> fields) && {
        schema_.primary_key_ = fields.list();
        return std::move(*this);
    }
    SchemaBuilder&& primary_key(FieldOf<T> field) && {
        schema_.primary_key_ = {&field.field()};
        return std::move(*this);
    }
    /// Rows belong to a tenant: queries must say which (`for_tenant`) or that they mean all.
    SchemaBuilder&& tenant(FieldOf<T> field) && {
        schema_.tenant_ = &field.field();
        return std::move(*this);
    }
    /// A unique index. Its violation is an error on `blamed` with code `taken`.
    SchemaBuilder&& unique(std::string_view name, Fields<T> fields, FieldOf<T> blamed,
                           std::string_view message = "has already been taken") && {
        schema_.uniques_.push_back(
            {std::string(name), fields.list(), &blamed.field(), "taken", std::string(message)});
        return std::move(*this);
    }
    /// The same for one column.
    SchemaBuilder&& unique(std::string_view name, FieldOf<T> field) && {
        schema_.uniques_.push_back({std::string(name),
                                    {&field.field()},
                                    &field.field(),
                                    "taken",
                                    "has already been taken"});
        return std::move(*this);
    }
    /// A named check constraint.
    SchemaBuilder&& check(std::string_view name, FieldOf<T> blamed,
                          std::string_view message = "is invalid",
                          std::string_view code = "invalid") && {
        schema_.checks_.push_back(
            {std::string(name), {}, &blamed.field(), std::string(code), std::string(message)});
        return std::move(*this);
    }
    /// A foreign key. A value that names no row is an error on the field with code `not_found`.
    SchemaBuilder&& references(FieldOf<T> field, std::string_view table,
                               std::string_view column = "id") && {
        schema_.references_.push_back({&field.field(), std::string(table), std::string(column)});
        return std::move(*this);
    }
    /// Set by the repo when a row is inserted, and on every change.
    SchemaBuilder&& timestamps(Timestamp T::* inserted, Timestamp T::* updated) && {
        schema_.inserted_at_ = &member_field(inserted);
        schema_.updated_at_ = &member_field(updated);
        return std::move(*this);
    }
    SchemaBuilder&& timestamps(Timestamp T::* inserted) && {
        schema_.inserted_at_ = &member_field(inserted);
        return std::move(*this);
    }
    /// A member that is not a column.
    SchemaBuilder&& not_stored(FieldOf<T> field) && {
        std::erase(schema_.columns_, &field.field());
        return std::move(*this);
    }

    operator Schema() && { return std::move(schema_); }

  private:
    Schema schema_;
};

template <Record T>
SchemaBuilder<T> schema(std::string_view table) {
    return SchemaBuilder<T>(table);
}

/// A record with a table. Missing BENNU_SCHEMA is a compile error here, missing BENNU_DEFINE_SCHEMA
/// a link error.
template <typename T>
concept Stored = Record<T> && requires {
    { bennu_schema(static_cast<const T*>(nullptr)) } -> std::same_as<const Schema&>;
};

template <Stored T>
const Schema& schema_of() {
    return bennu_schema(static_cast<const T*>(nullptr));
}

}  // namespace bennu

/// In the header, after BENNU_RECORD(Asset, …), in the same namespace.
#define BENNU_SCHEMA(Type) const ::bennu::Schema& bennu_schema(const Type*);

/// In one .cpp, in the same namespace:
/// `BENNU_DEFINE_SCHEMA(Asset, bennu::schema<Asset>("assets").primary_key(&Asset::id)…)`
#define BENNU_DEFINE_SCHEMA(Type, ...)                      \
    const ::bennu::Schema& bennu_schema(const Type*) {      \
        static const ::bennu::Schema schema_ = __VA_ARGS__; \
        return schema_;                                     \
    }
