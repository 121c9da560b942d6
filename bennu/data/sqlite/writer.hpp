#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "bennu/data/sqlite/call.hpp"
#include "bennu/data/sqlite/connection.hpp"

namespace bennu::data {

struct WriterOptions {
    std::size_t queue_limit = 10'000;
    std::size_t batch_units = 256;
    Duration batch_time = std::chrono::milliseconds(5);
};

/// The one connection that writes. Units that wait together share one BEGIN IMMEDIATE … COMMIT,
/// each in a savepoint of its own, and are answered once the COMMIT is on disk. A transaction of a
/// coroutine takes its turn like a unit; while it is open, its operations go straight through and
/// the other units wait. The thread never waits for a coroutine: it sleeps until the next command.
class SqliteWriter {
  public:
    enum class Kind : std::uint8_t {
        unit,       ///< a request of its own
        begin,      ///< opens transaction `tx`
        operation,  ///< a request within it
        commit,
        abandon,
        later,  ///< a request within it that nobody waits for
    };
    struct Command {
        Kind kind;
        TxId tx = 0;
        std::shared_ptr<Call> call;  ///< null: nobody waits
        Statement statement = {};    ///< of `later`
    };

    SqliteWriter(std::unique_ptr<SqliteConnection> connection, WriterOptions options);
    ~SqliteWriter() { close(); }

    /// From any shard. `overloaded` when too many units wait (operations of an open transaction
    /// always get in), `closed` after close.
    Result<> submit(Command command);
    /// Stops the thread (waiting for the statement that it runs), fails what waits, closes the
    /// file. Blocks.
    void close();

    std::uint64_t units() const { return units_.load(std::memory_order_relaxed); }
    std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
    std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

  private:
    struct Done {
        std::shared_ptr<Call> call;
        Result<Outcome> outcome;
    };

    // All that follows is for the writer's thread.
    void drain();
    void take_incoming();
    bool rest();
    void start_next();
    void run_unit(const std::shared_ptr<Call>& call);
    void run_command(Command command);
    void run_operation(Call& call);
    void commit_transaction(const std::shared_ptr<Call>& call);
    Result<Outcome> run_request(Request& request);
    Result<Outcome> run_each(Request& request);
    Result<> begin_batch();
    Result<> undo_unit();
    void finish_batch();
    void lose_batch(const Error& why);
    bool batch_is_full() const;

    std::unique_ptr<SqliteConnection> connection_;
    WriterOptions options_;
    std::atomic<bool> closing_{false};
    std::deque<Command> waiting_;
    std::deque<Command> operations_;
    bool batch_open_ = false;
    std::chrono::steady_clock::time_point batch_began_;
    TxId open_ = 0;  // the transaction that has its turn
    std::vector<Done> done_;
    bool wrote_ = false;  // something in this batch was not undone

    std::atomic<std::uint64_t> units_{0}, commits_{0}, refused_{0};
    std::mutex mutex_;  // guards what follows
    std::deque<Command> incoming_;
    std::size_t queued_ = 0;  // units and begins that have not had their turn
    bool scheduled_ = false;
    std::unique_ptr<Executor> executor_;
};

}  // namespace bennu::data
