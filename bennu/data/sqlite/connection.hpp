#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "bennu/data/engine.hpp"

namespace bennu::data {

struct ConnectionOptions {
    std::string path;
    bool read_only = false;
    Duration busy_timeout = std::chrono::seconds(5);
    std::int64_t max_pages = 0;
    bool durable = true;  ///< false: nothing survives a crash (private temporary files)
};

/// What one statement did.
struct StatementOutcome {
    std::int64_t changes = 0;
    std::optional<Violation> violation;
};

/// One SQLite connection with its prepared statements. Used by one thread at a time.
class SqliteConnection {
  public:
    static Result<std::unique_ptr<SqliteConnection>> open(const ConnectionOptions& options);
    ~SqliteConnection();

    /// Runs a statement and puts its rows, if there are any, into `rows`. Statements that would end
    /// a transaction or attach a file are refused.
    Result<StatementOutcome> run(const Statement& statement, RowBuffer& rows);
    /// BEGIN, COMMIT and their like, which `run` refuses.
    Result<> control(const char* sql);
    bool in_transaction() const;
    /// Whether a deferred foreign key is broken at this point.
    bool has_deferred_violation() const;
    /// While either is true, statements stop with `cancelled`. May be nullptr; must outlive use.
    void stop_when(const std::atomic<bool>* closing, const std::atomic<bool>* cancelled);

  private:
    struct State;
    explicit SqliteConnection(std::unique_ptr<State> state);
    Result<StatementOutcome> run_script(const Statement& statement, RowBuffer& rows);

    std::unique_ptr<State> state_;
};

}  // namespace bennu::data
