#include "bennu/data/sqlite/readers.hpp"

namespace bennu::data {

SqliteReaders::SqliteReaders(std::vector<std::unique_ptr<SqliteConnection>> connections,
                             std::size_t queue_limit)
    : idle_(std::move(connections)),
      executor_(make_executor({.name = "sqlite-reader",
                               .threads = static_cast<unsigned>(idle_.size()),
                               .queue_limit = queue_limit})) {}

Result<> SqliteReaders::submit(std::shared_ptr<Call> call) {
    const std::lock_guard lock(mutex_);
    if (!executor_) return Error(ErrorKind::closed, "database_closed", "the database is closed");
    if (executor_->submit([this, call = std::move(call)] { run(*call); })) return {};
    refused_.fetch_add(1, std::memory_order_relaxed);
    return Error(ErrorKind::overloaded, "database_overloaded", "too many reads are waiting");
}

void SqliteReaders::run(Call& call) {
    if (call.cancelled.load(std::memory_order_relaxed)) return;
    std::unique_ptr<SqliteConnection> connection;
    {
        const std::lock_guard lock(mutex_);
        connection = std::move(idle_.back());
        idle_.pop_back();
    }
    connection->stop_when(&closing_, &call.cancelled);
    Outcome outcome;
    Result<StatementOutcome> done =
        connection->run(call.request.statements.front(), call.request.rows);
    connection->stop_when(&closing_, nullptr);
    {
        const std::lock_guard lock(mutex_);
        idle_.push_back(std::move(connection));
    }
    reads_.fetch_add(1, std::memory_order_relaxed);
    if (!done) return answer(call, std::move(done).error());
    outcome.rows = std::move(call.request.rows);
    answer(call, std::move(outcome));
}

void SqliteReaders::close() {
    std::unique_ptr<Executor> executor;
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        executor = std::move(executor_);
    }
    executor.reset();
    idle_.clear();
}

}  // namespace bennu::data
