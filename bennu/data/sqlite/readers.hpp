#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "bennu/data/sqlite/call.hpp"
#include "bennu/data/sqlite/connection.hpp"

namespace bennu::data {

/// Read-only connections, one per thread of an executor.
class SqliteReaders {
  public:
    SqliteReaders(std::vector<std::unique_ptr<SqliteConnection>> connections,
                  std::size_t queue_limit);
    ~SqliteReaders() { close(); }

    /// From any shard. `overloaded` when too many reads wait, `closed` after close.
    Result<> submit(std::shared_ptr<Call> call);
    /// Interrupts what runs, stops the threads, closes the file. Blocks.
    void close();
    std::uint64_t reads() const { return reads_.load(std::memory_order_relaxed); }
    std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

  private:
    void run(Call& call);

    std::atomic<bool> closing_{false};
    std::atomic<std::uint64_t> reads_{0}, refused_{0};
    std::mutex mutex_;  // guards what follows
    std::vector<std::unique_ptr<SqliteConnection>> idle_;
    std::unique_ptr<Executor> executor_;
};

}  // namespace bennu::data
