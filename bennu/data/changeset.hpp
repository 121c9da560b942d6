#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/record_json.hpp"
#include "bennu/data/schema.hpp"

namespace bennu {

struct ChangeOptions {
    /// Keys that name no allowed field.
    Unknown unknown = Unknown::reject;
    /// Also takes text for every scalar (forms, CSV).
    bool from_text = false;
    /// Put before every field's name in errors (`asset.`).
    std::string path = {};
};

namespace data {

/// A changeset without its record's type.
struct ChangeState {
    const RecordInfo* record = nullptr;
    std::uint64_t given = 0;    ///< fields that the input had, by their place in the record
    std::uint64_t changed = 0;  ///< of those, the ones whose value is another now
    std::vector<FieldError> errors;
    std::string path;

    bool is_changed(const Field& field) const { return changed & bit(field); }
    bool is_given(const Field& field) const { return given & bit(field); }
    bool has_error(const Field& field) const;
    void add_error(const Field& field, std::string code, std::string message);
    std::uint64_t bit(const Field& field) const;
    std::vector<const Field*> changed_fields() const;
};

/// Casts `params` into `record`, which holds the present values.
ChangeState cast_params(void* record, const RecordInfo& info, const Json& params,
                        std::span<const Field* const> allowed, const ChangeOptions& options);
void note_change(ChangeState& state, const Field& field, const void* before, const void* after);

}  // namespace data

/// One rule over a record's fields; made by `required`, `length`, `range`, `format`, `inclusion`,
/// `exclusion` and `check_field`.
template <Record T>
struct Validation {
    Function<void(const T&, data::ChangeState&)> run;
};

/// Untrusted input on its way into a record: which fields it may set, what it changes, and what is
/// wrong with it. Nothing of it reaches the database while it has errors.
template <Record T>
class Changeset {
  public:
    /// `present` is the row as it is, or a `T{}` of defaults for a new one.
    Changeset(T present, const Json& params, const Fields<T>& allowed,
              const ChangeOptions& options = {})
        : record_(std::move(present)),
          state_(data::cast_params(&record_, record_of<T>(), params, allowed.list(), options)) {}

    /// Checks every rule; a field that has an error already gets no second one. All rules but
    /// `required` look at changed fields only.
    template <typename... V>
    Changeset validate(V... rules) && {
        (rules.run(record_, state_), ...);
        return std::move(*this);
    }
    template <typename... V>
    Changeset validate(V... rules) const& {
        return Changeset(*this).validate(std::move(rules)...);
    }
    /// Sets a field from trusted code.
    template <typename M, typename U>
    Changeset put(M T::* member, U&& value) && {
        M before = std::move(record_.*member);
        record_.*member = std::forward<U>(value);
        data::note_change(state_, member_field(member), &before, &(record_.*member));
        return std::move(*this);
    }
    Changeset add_error(FieldOf<T> field, std::string code, std::string message) && {
        state_.add_error(field.field(), std::move(code), std::move(message));
        return std::move(*this);
    }

    bool valid() const { return state_.errors.empty(); }
    const std::vector<FieldError>& errors() const { return state_.errors; }
    bool changed() const { return state_.changed != 0; }
    template <typename M>
    bool changed(M T::* member) const {
        return state_.is_changed(member_field(member));
    }
    /// Whether the input had the field, changed or not.
    template <typename M>
    bool given(M T::* member) const {
        return state_.is_given(member_field(member));
    }
    std::vector<const Field*> changed_fields() const { return state_.changed_fields(); }
    /// The record as it would be, valid or not.
    const T& record() const { return record_; }
    template <typename M>
    const M& get(M T::* member) const {
        return record_.*member;
    }

    /// The changed record, or an `invalid` error with every field's error.
    Result<T> apply() const {
        if (!valid()) return Error::invalid(state_.errors);
        return record_;
    }

  private:
    T record_;
    data::ChangeState state_;
};

/// `change(asset, params, {&Asset::name, &Asset::status})`.
template <Record T>
Changeset<T> change(T present, const Json& params, const Fields<std::type_identity_t<T>>& allowed,
                    const ChangeOptions& options = {}) {
    return Changeset<T>(std::move(present), params, allowed, options);
}

}  // namespace bennu

#include "bennu/data/validations.hpp"
