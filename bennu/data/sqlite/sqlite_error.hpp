#pragma once

#include <optional>

#include "bennu/data/engine.hpp"

struct sqlite3;

namespace bennu::data {

/// The constraint that the connection's last error names, if it is one.
std::optional<Violation> sqlite_violation(sqlite3* db);
/// The connection's last error as an outcome.
Error sqlite_error(sqlite3* db);

}  // namespace bennu::data
