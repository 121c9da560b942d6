#include "bennu/data/transaction.hpp"

namespace bennu::data {

TransactionScope::TransactionScope(std::shared_ptr<Transaction> transaction, std::string savepoint)
    : transaction_(std::move(transaction)), savepoint_(std::move(savepoint)) {}

TransactionScope::~TransactionScope() {
    if (!transaction_) return;
    const std::shared_ptr<Transaction> transaction = transaction_;
    finish();
    if (savepoint_.empty()) {
        transaction->engine->abandon(transaction->id);
    } else {
        transaction->engine->run_later(transaction->id,
                                       {.sql = "ROLLBACK TO " + savepoint_, .params = {}});
        transaction->engine->run_later(transaction->id,
                                       {.sql = "RELEASE " + savepoint_, .params = {}});
    }
}

void TransactionScope::finish() noexcept {
    transaction_.reset();
    if (watchdog_) kill(std::exchange(watchdog_, {}));
}

Task<Result<TransactionScope>> TransactionScope::open(std::shared_ptr<Engine> engine,
                                                      std::shared_ptr<Transaction> outer,
                                                      TransactionOptions options) {
    if (outer) {
        const std::string savepoint = "nested_" + std::to_string(++outer->savepoints);
        Request request;
        request.statements.push_back({.sql = "SAVEPOINT " + savepoint, .params = {}});
        TransactionScope scope(outer, savepoint);
        Result<Outcome> opened = co_await engine->run(outer->id, std::move(request));
        if (!opened) co_return std::move(opened).error();
        co_return std::move(scope);
    }
    auto transaction = std::make_shared<Transaction>(Transaction{engine, engine->new_tx()});
    // From here on the request itself is undone when the caller is cancelled.
    TransactionScope scope(transaction, {});
    Result<> begun = co_await engine->begin(transaction->id);
    if (!begun) co_return std::move(begun).error();
    scope.watchdog_ =
        spawn_task([engine, id = transaction->id, limit = options.deadline]() -> Task<> {
            co_await sleep(limit);
            engine->abandon(id);
        });
    co_return std::move(scope);
}

Task<Result<>> TransactionScope::commit() {
    const std::shared_ptr<Transaction> transaction = transaction_;
    if (savepoint_.empty()) {
        Result<> committed = co_await transaction->engine->commit(transaction->id);
        finish();
        co_return committed;
    }
    Request request;
    request.statements.push_back({.sql = "RELEASE " + savepoint_, .params = {}});
    Result<Outcome> released =
        co_await transaction->engine->run(transaction->id, std::move(request));
    if (!released) co_return std::move(released).error();
    finish();
    co_return Result<>();
}

}  // namespace bennu::data
