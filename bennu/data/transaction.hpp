#pragma once

#include <memory>
#include <string>

#include "bennu/data/engine.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu {

struct TransactionOptions {
    /// From when it opened; then it is rolled back and its remaining calls fail with `timeout`.
    Duration deadline = std::chrono::seconds(5);
};

namespace data {

/// One open transaction, as the calls within it see it. Belongs to one process.
struct Transaction {
    std::shared_ptr<Engine> engine;
    TxId id = 0;
    unsigned savepoints = 0;  ///< made so far, for their names
};

/// Owns a transaction, or a savepoint within one: what is not committed when this is destroyed, for
/// whatever reason, is undone.
class TransactionScope {
  public:
    TransactionScope(std::shared_ptr<Transaction> transaction, std::string savepoint);
    TransactionScope(TransactionScope&& other) noexcept = default;
    TransactionScope& operator=(TransactionScope&&) = delete;
    ~TransactionScope();

    static Task<Result<TransactionScope>> open(std::shared_ptr<Engine> engine,
                                               std::shared_ptr<Transaction> outer,
                                               TransactionOptions options);
    const std::shared_ptr<Transaction>& transaction() const { return transaction_; }
    Task<Result<>> commit();

  private:
    void finish() noexcept;

    std::shared_ptr<Transaction> transaction_;  // null: moved from, or over
    std::string savepoint_;                     // empty: the transaction itself
    Pid watchdog_;
};

}  // namespace data
}  // namespace bennu
