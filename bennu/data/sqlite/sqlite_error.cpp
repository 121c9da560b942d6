#include "bennu/data/sqlite/sqlite_error.hpp"

#include <sqlite3.h>

namespace bennu::data {

namespace {

/// "assets.tenant_id, assets.tag" as column names.
std::vector<std::string> column_names(std::string_view list) {
    std::vector<std::string> names;
    while (!list.empty()) {
        std::string_view each = list.substr(0, list.find(", "));
        list.remove_prefix(std::min(list.size(), each.size() + 2));
        names.emplace_back(each.substr(each.rfind('.') + 1));
    }
    return names;
}

}  // namespace

std::optional<Violation> sqlite_violation(sqlite3* db) {
    const int code = sqlite3_extended_errcode(db);
    if ((code & 0xff) != SQLITE_CONSTRAINT) return std::nullopt;
    Violation violation;
    violation.message = sqlite3_errmsg(db);
    std::string_view subject(violation.message);
    const std::size_t colon = subject.find(": ");
    subject = colon == std::string_view::npos ? std::string_view() : subject.substr(colon + 2);
    switch (code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            violation.kind = Violation::Kind::unique;
            if (subject.starts_with("index '")) {
                violation.constraint = subject.substr(7, subject.size() - 8);
            } else {
                violation.columns = column_names(subject);
            }
            break;
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            violation.kind = Violation::Kind::foreign_key;
            break;
        case SQLITE_CONSTRAINT_NOTNULL:
            violation.kind = Violation::Kind::not_null;
            violation.columns = column_names(subject);
            break;
        case SQLITE_CONSTRAINT_CHECK:
            violation.kind = Violation::Kind::check;
            violation.constraint = subject;
            break;
        default:
            break;
    }
    return violation;
}

Error sqlite_error(sqlite3* db) {
    const std::string message = sqlite3_errmsg(db);
    switch (sqlite3_extended_errcode(db) & 0xff) {
        case SQLITE_FULL:
            return Error(ErrorKind::unavailable, "disk_full", "the database's disk is full");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Error(ErrorKind::overloaded, "database_busy",
                         "another process holds the database: " + message);
        case SQLITE_INTERRUPT:
            return Error(ErrorKind::cancelled, "interrupted", message);
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return Error(ErrorKind::io, "storage_failed", message);
        case SQLITE_READONLY:
            return Error(ErrorKind::io, "read_only", message);
        case SQLITE_TOOBIG:
            return Error(ErrorKind::too_large, "too_large", message);
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Error(ErrorKind::internal, "corrupt_database", message);
        default:
            return Error(ErrorKind::internal, "sql", message);
    }
}

}  // namespace bennu::data
