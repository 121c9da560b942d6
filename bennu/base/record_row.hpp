#pragma once

#include "bennu/base/record.hpp"
#include "bennu/base/value.hpp"

namespace bennu {

/// The database's side of a field. Booleans, integers, timestamps (milliseconds), durations
/// (nanoseconds) and money (hundredths) are integers; doubles are reals; text, enums, ids, dates
/// and secrets are text; Json, records and vectors are JSON text; an absent optional is null.
Value get_value(const void* field, const FieldOps& ops);
/// The reverse; a value that does not fit is an error without a field name (the caller knows the
/// column).
Result<> set_value(void* field, const FieldOps& ops, Value value);

}  // namespace bennu
