#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/record.hpp"

namespace bennu {

/// What to do with a key that names no field (or none of the allowed ones).
enum class Unknown { reject, ignore };
/// Whether fields that are absent from the input must be there (unless optional), or keep what they
/// have.
enum class Absent { required, keep };

struct ReadOptions {
    Unknown unknown = Unknown::reject;
    /// `keep`: only the fields that are present change (updates, defaults).
    Absent absent = Absent::required;
    /// When not empty, the only fields that the input may set; the others keep what they have and
    /// are not required.
    std::span<const std::string_view> only = {};
    /// Also takes text for every scalar, as forms, query strings, environment variables and CSV
    /// write it.
    bool from_text = false;
    /// Put before every field's name in errors ("asset." or "").
    std::string_view path = {};
};

/// Reads an object into a record and collects every field's error: codes `required`, `unknown`,
/// `type`, `invalid`, `out_of_range`, `not_one_of`. On failure the record holds a mixture and
/// should be thrown away. Optional fields may be absent or null, vectors and Json may be
/// absent (they keep what they have); everything else is required.
Result<> read_json(void* record, const RecordInfo& info, const Json& object,
                   const ReadOptions& options = {});
/// One field from one JSON value; errors go to `errors` under `path`.
bool read_field(void* field, const FieldOps& ops, const Json& json, const ReadOptions& options,
                std::string_view path, std::vector<FieldError>& errors);
/// One field from text, with the same codes and messages. Empty text clears an optional.
Result<> set_text(void* field, const FieldOps& ops, std::string_view name, std::string_view text);
/// The closest of the candidates, for "did you mean"; empty when none is close.
std::string_view closest_name(std::string_view name, std::span<const std::string_view> candidates);

template <Record T>
Result<> read_json(T& record, const Json& object, const ReadOptions& options = {}) {
    return read_json(&record, record_of<T>(), object, options);
}
template <Record T>
Result<T> from_json(const Json& object, const ReadOptions& options = {}) {
    T record{};
    Result<> read = read_json(&record, record_of<T>(), object, options);
    if (!read) return std::move(read).error();
    return record;
}

/// Writes. Absent optionals are written as null; secrets as `***`; money as a number; ids, times
/// and dates as text; durations as text (`30s`).
Json to_json_value(const void* record, const RecordInfo& info);
Json to_json_value(const void* field, const FieldOps& ops);
void write_json(std::string& out, const void* record, const RecordInfo& info);
void write_json(std::string& out, const void* field, const FieldOps& ops);

template <Record T>
Json to_json_value(const T& record) {
    return to_json_value(&record, record_of<T>());
}
/// Straight to text, without a Json in between.
template <Record T>
void write_json(std::string& out, const T& record) {
    write_json(out, &record, record_of<T>());
}
template <Record T>
std::string to_json(const T& record) {
    std::string out;
    write_json(out, &record, record_of<T>());
    return out;
}

}  // namespace bennu
