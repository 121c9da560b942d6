#pragma once

#include <string>

#include "bennu/data/repo.hpp"

namespace bennu {

struct SqliteOptions {
    /// The file; made when it is missing. ":memory:" is a private temporary file that is gone when
    /// the repo is closed.
    std::string path = ":memory:";
    unsigned readers = 4;
    /// Units that may wait for the writer, and reads for a reader; more are `overloaded`.
    std::size_t queue_limit = 10'000;
    /// How long a call may take altogether.
    Duration timeout = std::chrono::seconds(15);
    /// How long another process may hold the file before a write gives up.
    Duration busy_timeout = std::chrono::seconds(5);
    /// A batch is committed after this many units or this time, whichever is first.
    std::size_t batch_units = 256;
    Duration batch_time = std::chrono::milliseconds(5);
    /// For tests: the most pages that the file may have; 0 is SQLite's own limit.
    std::int64_t max_pages = 0;
};

/// Opens a database file: WAL, synchronous=FULL, foreign keys on; one writer thread that commits
/// waiting units in groups, and read-only connections beside it. Call on a shard.
Task<Result<Repo>> open_sqlite(SqliteOptions options);

}  // namespace bennu
