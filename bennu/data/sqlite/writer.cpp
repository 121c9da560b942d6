#include "bennu/data/sqlite/writer.hpp"

namespace bennu::data {

namespace {

using Kind = SqliteWriter::Kind;

Error over() {
    return Error(ErrorKind::timeout, "transaction_over",
                 "the transaction was rolled back: its time was up, or the storage failed");
}
Error closed() {
    return Error(ErrorKind::closed, "database_closed", "the database is closed");
}
Violation deferred_violation() {
    return {.kind = Violation::Kind::foreign_key,
            .constraint = {},
            .columns = {},
            .message = "FOREIGN KEY constraint failed"};
}
bool waits_for_turn(Kind kind) {
    return kind == Kind::unit || kind == Kind::begin;
}

}  // namespace

SqliteWriter::SqliteWriter(std::unique_ptr<SqliteConnection> connection, WriterOptions options)
    : connection_(std::move(connection)),
      options_(options),
      executor_(make_executor({.name = "sqlite-writer", .threads = 1})) {
    connection_->stop_when(&closing_, nullptr);
}

Result<> SqliteWriter::submit(Command command) {
    const std::lock_guard lock(mutex_);
    if (!executor_) return closed();
    if (waits_for_turn(command.kind)) {
        if (queued_ >= options_.queue_limit) {
            refused_.fetch_add(1, std::memory_order_relaxed);
            return Error(ErrorKind::overloaded, "database_overloaded",
                         "too many writes are waiting");
        }
        ++queued_;
    }
    incoming_.push_back(std::move(command));
    if (!scheduled_) scheduled_ = executor_->submit([this] { drain(); });
    return {};
}

void SqliteWriter::close() {
    std::unique_ptr<Executor> executor;
    {
        const std::lock_guard lock(mutex_);
        if (!executor_) return;
        closing_ = true;
        executor = std::move(executor_);
    }
    executor.reset();
    lose_batch(closed());
    take_incoming();
    for (std::deque<Command>* commands : {&waiting_, &operations_}) {
        for (const Command& each : *commands) {
            if (each.call) answer(*each.call, closed());
        }
        commands->clear();
    }
    connection_.reset();
}

void SqliteWriter::drain() {
    while (!closing_) {
        take_incoming();
        if (!operations_.empty()) {
            Command command = std::move(operations_.front());
            operations_.pop_front();
            run_command(std::move(command));
        } else if (open_ != 0) {
            if (rest()) return;
        } else if (!waiting_.empty() && !batch_is_full()) {
            start_next();
        } else if (batch_open_) {
            finish_batch();
        } else if (rest()) {
            return;
        }
    }
}

void SqliteWriter::take_incoming() {
    const std::lock_guard lock(mutex_);
    for (Command& command : incoming_) {
        (waits_for_turn(command.kind) ? waiting_ : operations_).push_back(std::move(command));
    }
    incoming_.clear();
}

/// Ends the job, unless a command came meanwhile: from then on the next one starts another.
bool SqliteWriter::rest() {
    const std::lock_guard lock(mutex_);
    if (!incoming_.empty()) return false;
    scheduled_ = false;
    return true;
}

bool SqliteWriter::batch_is_full() const {
    if (!batch_open_) return false;
    return done_.size() >= options_.batch_units ||
           std::chrono::steady_clock::now() - batch_began_ >= options_.batch_time;
}

Result<> SqliteWriter::begin_batch() {
    if (batch_open_) return {};
    Result<> begun = connection_->control("BEGIN IMMEDIATE");
    if (!begun) return begun;
    batch_open_ = true;
    wrote_ = false;
    batch_began_ = std::chrono::steady_clock::now();
    return {};
}

void SqliteWriter::start_next() {
    Command command = std::move(waiting_.front());
    waiting_.pop_front();
    {
        const std::lock_guard lock(mutex_);
        --queued_;
    }
    if (command.call->cancelled.load(std::memory_order_relaxed)) return;
    Result<> begun = begin_batch();
    if (begun) begun = connection_->control("SAVEPOINT unit");
    if (!begun) {
        answer(*command.call, begun.error());
        if (batch_open_) lose_batch(begun.error());
        return;
    }
    if (command.kind == Kind::unit) {
        run_unit(command.call);
    } else {
        open_ = command.tx;
        answer(*command.call, Outcome{});
    }
}

Result<> SqliteWriter::undo_unit() {
    if (!connection_->in_transaction()) return closed();
    Result<> undone = connection_->control("ROLLBACK TO unit");
    return undone ? connection_->control("RELEASE unit") : std::move(undone);
}

void SqliteWriter::run_unit(const std::shared_ptr<Call>& call) {
    Result<Outcome> outcome = run_request(call->request);
    if (outcome && !outcome->violation && connection_->has_deferred_violation()) {
        outcome->violation = deferred_violation();
    }
    if (outcome && !outcome->violation) {
        if (Result<> released = connection_->control("RELEASE unit"); released) {
            wrote_ = true;
        } else {
            outcome = std::move(released).error();
        }
    }
    const bool failed = !outcome;
    const bool undo = failed || outcome->violation;
    const Error why = failed ? outcome.error() : closed();
    done_.push_back({call, std::move(outcome)});
    if (undo && !undo_unit()) lose_batch(why);
}

void SqliteWriter::run_command(Command command) {
    if (command.tx != open_) {
        if (command.kind == Kind::abandon) {
            const auto wanted = [&](const Command& each) { return each.tx == command.tx; };
            const std::size_t erased = std::erase_if(waiting_, wanted);
            const std::lock_guard lock(mutex_);
            queued_ -= erased;
        } else if (command.call) {
            answer(*command.call, over());
        }
        return;
    }
    switch (command.kind) {
        case Kind::operation:
            return run_operation(*command.call);
        case Kind::commit:
            return commit_transaction(command.call);
        case Kind::later: {
            RowBuffer none;
            // A savepoint that is gone already needs no undoing.
            (void)connection_->run(command.statement, none);
            if (!connection_->in_transaction()) lose_batch(over());
            return;
        }
        default:
            break;
    }
    open_ = 0;
    if (!undo_unit()) lose_batch(over());
}

void SqliteWriter::run_operation(Call& call) {
    Request& request = call.request;
    const bool several = request.statements.size() > 1 && !request.each;
    if (several) (void)connection_->control("SAVEPOINT request");
    Result<Outcome> outcome = run_request(request);
    const bool lost = !connection_->in_transaction();
    if (several && !lost) {
        if (!outcome || outcome->violation) (void)connection_->control("ROLLBACK TO request");
        (void)connection_->control("RELEASE request");
    }
    if (lost) lose_batch(outcome ? over() : outcome.error());
    answer(call, std::move(outcome));
}

void SqliteWriter::commit_transaction(const std::shared_ptr<Call>& call) {
    open_ = 0;
    Result<Outcome> outcome = Outcome{};
    if (connection_->has_deferred_violation()) {
        outcome->violation = deferred_violation();
    } else if (Result<> released = connection_->control("RELEASE unit"); !released) {
        outcome = std::move(released).error();
    }
    const bool undo = !outcome || outcome->violation;
    wrote_ = wrote_ || !undo;
    done_.push_back({call, std::move(outcome)});
    if (undo && !undo_unit()) lose_batch(over());
}

Result<Outcome> SqliteWriter::run_request(Request& request) {
    if (request.each) return run_each(request);
    Outcome outcome;
    for (const Statement& statement : request.statements) {
        Result<StatementOutcome> done = connection_->run(statement, request.rows);
        if (!done) return std::move(done).error();
        outcome.changes += done->changes;
        if (done->violation) {
            outcome.violation = std::move(done->violation);
            return outcome;
        }
    }
    outcome.rows = std::move(request.rows);
    return outcome;
}

Result<Outcome> SqliteWriter::run_each(Request& request) {
    Outcome outcome;
    for (const Statement& statement : request.statements) {
        Result<StatementOutcome> done = connection_->run(statement, request.rows);
        if (!done) return std::move(done).error();
        outcome.changes += done->changes;
        outcome.violations.push_back(std::move(done->violation));
    }
    outcome.rows = std::move(request.rows);
    return outcome;
}

void SqliteWriter::finish_batch() {
    Result<> committed = connection_->control("COMMIT");
    if (!committed) return lose_batch(committed.error());
    batch_open_ = false;
    if (wrote_) commits_.fetch_add(1, std::memory_order_relaxed);
    Answers answers;
    for (Done& each : done_) {
        if (each.outcome && !each.outcome->violation)
            units_.fetch_add(1, std::memory_order_relaxed);
        answers.add(*each.call, std::move(each.outcome));
    }
    done_.clear();
    answers.send();
}

/// Nothing of this batch is on disk: everyone who was promised an answer gets the reason.
void SqliteWriter::lose_batch(const Error& why) {
    if (connection_->in_transaction()) (void)connection_->control("ROLLBACK");
    batch_open_ = false;
    open_ = 0;
    Answers answers;
    for (Done& each : done_) answers.add(*each.call, why);
    done_.clear();
    answers.send();
}

}  // namespace bennu::data
