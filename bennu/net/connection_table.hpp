#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// The connections of one listener on one shard: how many there are, which are overdue, and that
/// they shall end. An entry is 32 bytes and moving its deadline one store; a sweep looks at all of
/// them once a second.
class ConnectionTable {
  public:
    using Expired = void (*)(Pid connection);

    /// One connection's place in the table; lives in the connection, leaves with it.
    class Entry {
      public:
        Entry(std::shared_ptr<ConnectionTable> table, Expired expired);
        ~Entry();
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

        /// Said once, by the connection's process.
        void set_connection(Pid connection) { table_->rows_[index_].connection = connection; }
        /// `expired` is called once, up to a second after `deadline`.
        void set_deadline(Instant deadline) { table_->rows_[index_].deadline = deadline; }
        void clear_deadline() { set_deadline(Instant::max()); }
        bool draining() const { return table_->draining; }
        const std::shared_ptr<ConnectionTable>& table() const { return table_; }

      private:
        friend class ConnectionTable;
        std::shared_ptr<ConnectionTable> table_;
        std::uint32_t index_;
    };

    std::size_t size() const { return rows_.size(); }
    /// Calls `expired` for every connection whose deadline has passed.
    void sweep(Instant now);
    std::vector<Pid> connections() const;

    /// The listener stops: answers say `Connection: close` from now on.
    bool draining = false;

  private:
    struct Row {
        Pid connection;
        Instant deadline;
        Expired expired;
        Entry* entry;
    };
    std::vector<Row> rows_;
};

/// The table of this shard's listener at an address. It outlives an acceptor that crashes, as its
/// connections do: the next one looks after them.
std::shared_ptr<ConnectionTable> listener_connection_table(const std::string& address);

/// Sweeps a table once a second for as long as it has connections; for connections that no listener
/// looks after.
std::shared_ptr<ConnectionTable> client_connection_table();

}  // namespace bennu::net
