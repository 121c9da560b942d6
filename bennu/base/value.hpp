#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace bennu {

/// One cell of a database row, as every engine can hold it: null, integer, real, text or blob.
using Value =
    std::variant<std::monostate, std::int64_t, double, std::string, std::vector<std::byte>>;

inline bool is_null(const Value& value) {
    return value.index() == 0;
}

}  // namespace bennu
