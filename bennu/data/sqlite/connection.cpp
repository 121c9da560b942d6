#include "bennu/data/sqlite/connection.hpp"

#include <sqlite3.h>

#include "bennu/base/record_row.hpp"
#include "bennu/data/sqlite/sqlite_error.hpp"
#include "bennu/data/sqlite/statement_cache.hpp"

namespace bennu::data {

struct SqliteConnection::State {
    sqlite3* db = nullptr;
    StatementCache statements{128};
    const std::atomic<bool>* closing = nullptr;
    const std::atomic<bool>* cancelled = nullptr;
    bool controlling = false;

    ~State() {
        statements.clear();
        sqlite3_close(db);
    }
};

namespace {

/// Resets a statement for its next use, whatever happens.
class Running {
  public:
    explicit Running(sqlite3_stmt* statement) : statement_(statement) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

  private:
    sqlite3_stmt* statement_;
};

int bind(sqlite3_stmt* statement, int index, const Value& value) {
    switch (value.index()) {
        case 1:
            return sqlite3_bind_int64(statement, index, std::get<1>(value));
        case 2:
            return sqlite3_bind_double(statement, index, std::get<2>(value));
        case 3: {
            const std::string& text = std::get<3>(value);
            return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC,
                                       SQLITE_UTF8);
        }
        case 4: {
            const std::vector<std::byte>& blob = std::get<4>(value);
            if (blob.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
            return sqlite3_bind_blob64(statement, index, blob.data(), blob.size(), SQLITE_STATIC);
        }
        default:
            return sqlite3_bind_null(statement, index);
    }
}

Value column(sqlite3_stmt* statement, int index) {
    const auto size = [&] {
        return static_cast<std::size_t>(sqlite3_column_bytes(statement, index));
    };
    switch (sqlite3_column_type(statement, index)) {
        case SQLITE_INTEGER:
            return Value(std::int64_t{sqlite3_column_int64(statement, index)});
        case SQLITE_FLOAT:
            return Value(sqlite3_column_double(statement, index));
        case SQLITE_TEXT: {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
            return Value(std::string(text, size()));
        }
        case SQLITE_BLOB: {
            const auto* bytes =
                static_cast<const std::byte*>(sqlite3_column_blob(statement, index));
            return Value(std::vector<std::byte>(bytes, bytes + size()));
        }
        default:
            return Value();
    }
}

/// Which field each result column goes to.
Result<std::vector<const Field*>> match_columns(sqlite3_stmt* statement, const RecordInfo& record) {
    std::vector<const Field*> fields;
    const int count = sqlite3_column_count(statement);
    for (int i = 0; i < count; ++i) {
        const std::string_view name = sqlite3_column_name(statement, i);
        const Field* field = record.find(name);
        if (!field) {
            return Error(
                ErrorKind::internal, "unknown_column",
                std::string(record.name) + " has no field for the column " + std::string(name));
        }
        fields.push_back(field);
    }
    return fields;
}

Result<> read_row(sqlite3_stmt* statement, const std::vector<const Field*>& fields, void* record) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const Field& field = *fields[i];
        Result<> set =
            set_value(field.of(record), *field.ops, column(statement, static_cast<int>(i)));
        if (!set) {
            return Error(ErrorKind::internal, "bad_value",
                         "column " + std::string(field.name) + ": " + set.error().describe());
        }
    }
    return {};
}

Result<> step_all(sqlite3* db, sqlite3_stmt* statement, RowBuffer& rows) {
    std::optional<std::vector<const Field*>> fields;
    for (;;) {
        const int code = sqlite3_step(statement);
        if (code == SQLITE_DONE) return {};
        if (code != SQLITE_ROW) return sqlite_error(db);
        if (!rows) continue;
        if (!fields) {
            Result<std::vector<const Field*>> matched = match_columns(statement, rows.record());
            if (!matched) return std::move(matched).error();
            fields = *std::move(matched);
        }
        if (Result<> read = read_row(statement, *fields, rows.add()); !read) return read;
    }
}

int authorize(void* context, int action, const char*, const char*, const char*, const char*) {
    const bool controlling = *static_cast<const bool*>(context);
    switch (action) {
        case SQLITE_TRANSACTION:
            return controlling ? SQLITE_OK : SQLITE_DENY;
        case SQLITE_ATTACH:
        case SQLITE_DETACH:
            return SQLITE_DENY;
        default:
            return SQLITE_OK;
    }
}

std::string settings(const ConnectionOptions& options) {
    std::string sql =
        "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;";
    if (options.read_only) return sql + "PRAGMA query_only = ON;";
    sql += "PRAGMA journal_mode = WAL;";
    sql += options.durable ? "PRAGMA synchronous = FULL;" : "PRAGMA synchronous = OFF;";
    if (options.max_pages > 0) {
        sql += "PRAGMA max_page_count = " + std::to_string(options.max_pages) + ";";
    }
    return sql;
}

}  // namespace

SqliteConnection::SqliteConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteConnection::~SqliteConnection() = default;

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const ConnectionOptions& options) {
    auto state = std::make_unique<State>();
    const int mode =
        options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    const auto failed = [&](sqlite3* db) {
        return sqlite_error(db).with_context("while opening " + options.path);
    };
    if (sqlite3_open_v2(options.path.c_str(), &state->db, flags, nullptr) != SQLITE_OK) {
        return failed(state->db);
    }
    sqlite3* db = state->db;
    using std::chrono::milliseconds;
    sqlite3_busy_timeout(
        db,
        static_cast<int>(std::chrono::duration_cast<milliseconds>(options.busy_timeout).count()));
    // A misspelled column in double quotes would otherwise be a string.
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (sqlite3_exec(db, settings(options).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return failed(db);
    }
    sqlite3_set_authorizer(db, &authorize, &state->controlling);
    sqlite3_progress_handler(
        db, 2000,
        [](void* context) {
            const State& connection = *static_cast<const State*>(context);
            const auto set = [](const std::atomic<bool>* flag) {
                return flag && flag->load(std::memory_order_relaxed);
            };
            return set(connection.closing) || set(connection.cancelled) ? 1 : 0;
        },
        state.get());
    return std::unique_ptr<SqliteConnection>(new SqliteConnection(std::move(state)));
}

Result<> SqliteConnection::control(const char* sql) {
    state_->controlling = true;
    RowBuffer none;
    Result<StatementOutcome> done = run({.sql = sql, .params = {}}, none);
    state_->controlling = false;
    if (!done) return std::move(done).error();
    if (done->violation) {
        return Error(ErrorKind::conflict, "foreign_key", done->violation->message);
    }
    return {};
}

bool SqliteConnection::in_transaction() const {
    return sqlite3_get_autocommit(state_->db) == 0;
}

bool SqliteConnection::has_deferred_violation() const {
    int broken = 0;
    int unused = 0;
    sqlite3_db_status(state_->db, SQLITE_DBSTATUS_DEFERRED_FKS, &broken, &unused, 0);
    return broken != 0;
}

void SqliteConnection::stop_when(const std::atomic<bool>* closing,
                                 const std::atomic<bool>* cancelled) {
    state_->closing = closing;
    state_->cancelled = cancelled;
}

Result<StatementOutcome> SqliteConnection::run_script(const Statement& script, RowBuffer& rows) {
    sqlite3* db = state_->db;
    const char* rest = script.sql.c_str();
    const char* end = rest + script.sql.size();
    while (rest < end) {
        sqlite3_stmt* raw = nullptr;
        if (sqlite3_prepare_v2(db, rest, static_cast<int>(end - rest), &raw, &rest) != SQLITE_OK) {
            return sqlite_error(db);
        }
        if (!raw) continue;  // a comment
        const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw,
                                                                              &sqlite3_finalize);
        if (Result<> done = step_all(db, raw, rows); !done) {
            if (auto violation = sqlite_violation(db)) {
                return StatementOutcome{.violation = std::move(violation)};
            }
            return std::move(done).error();
        }
    }
    return StatementOutcome{};
}

Result<StatementOutcome> SqliteConnection::run(const Statement& statement, RowBuffer& rows) {
    if (statement.script) return run_script(statement, rows);
    sqlite3* db = state_->db;
    sqlite3_stmt* prepared = state_->statements.find(statement.sql);
    if (!prepared) {
        const char* rest = nullptr;
        if (sqlite3_prepare_v3(db, statement.sql.data(), static_cast<int>(statement.sql.size()),
                               SQLITE_PREPARE_PERSISTENT, &prepared, &rest) != SQLITE_OK) {
            return sqlite_error(db);
        }
        if (!prepared) return Error(ErrorKind::internal, "sql", "the statement is empty");
        const auto used = static_cast<std::size_t>(rest - statement.sql.data());
        if (statement.sql.find_first_not_of(" \t\r\n;", used) != std::string::npos) {
            sqlite3_finalize(prepared);
            return Error(ErrorKind::internal, "sql", "more than one statement: " + statement.sql);
        }
        state_->statements.add(statement.sql, prepared);
    }
    const Running running(prepared);
    if (static_cast<std::size_t>(sqlite3_bind_parameter_count(prepared)) !=
        statement.params.size()) {
        return Error(ErrorKind::internal, "sql", "wrong number of parameters: " + statement.sql);
    }
    for (std::size_t i = 0; i < statement.params.size(); ++i) {
        if (bind(prepared, static_cast<int>(i) + 1, statement.params[i]) != SQLITE_OK) {
            return sqlite_error(db);
        }
    }
    // Statements that change no rows by themselves (DDL, BEGIN) leave the last one's count.
    const sqlite3_int64 before = sqlite3_total_changes64(db);
    if (Result<> done = step_all(db, prepared, rows); !done) {
        if (auto violation = sqlite_violation(db)) {
            return StatementOutcome{.violation = std::move(violation)};
        }
        return std::move(done).error();
    }
    const bool changed = sqlite3_total_changes64(db) != before;
    return StatementOutcome{.changes = changed ? sqlite3_changes64(db) : 0, .violation = {}};
}

}  // namespace bennu::data
