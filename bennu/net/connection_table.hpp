#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bennu/net/address_counts.hpp"
#include "bennu/net/admission.hpp"
#include "bennu/net/connection_counts.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::net {

/// What a connection takes of what its server has for all: passed on from entry to entry, and
/// given back by the last one.
struct ConnectionSeat {
    std::uint32_t address = 0;  ///< its slot in the counts of addresses
    bool counted = false;       ///< as one of the server's connections, on this shard
};

/// The connections of one listener on one shard: how many there are, which are overdue, and that
/// they shall end. An entry is 32 bytes and moving its deadline one store; a sweep looks at all of
/// them once a second.
class ConnectionTable {
  public:
    using Expired = void (*)(Pid connection);

    /// One connection's place in the table; lives in the connection, leaves with it.
    class Entry {
      public:
        /// Without a seat that is counted it counts itself, whether there is room or not.
        Entry(std::shared_ptr<ConnectionTable> table, Expired expired, ConnectionSeat seat = {});
        ~Entry();
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

        /// Said once, by the connection's process.
        void set_connection(Pid connection) { table_->rows_[index_].connection = connection; }
        /// `expired` is called once, up to a second after `deadline`.
        void set_deadline(Instant deadline) { table_->rows_[index_].deadline = deadline; }
        void clear_deadline() { set_deadline(Instant::max()); }
        /// The deadline has passed, or there is none.
        bool expired() const { return table_->rows_[index_].deadline == Instant::max(); }
        /// This connection is counted at its client's address, until the entry goes.
        void set_address(std::uint32_t slot) { address_ = slot; }
        /// For the entry that takes the connection over.
        ConnectionSeat take_seat() {
            const ConnectionSeat seat{std::exchange(address_, 0), counted_ != 0};
            counted_ = 0;
            return seat;
        }
        bool draining() const { return table_->draining; }
        const std::shared_ptr<ConnectionTable>& table() const { return table_; }

      private:
        friend class ConnectionTable;
        std::shared_ptr<ConnectionTable> table_;
        std::uint32_t index_ : 31;
        std::uint32_t counted_ : 1;
        std::uint32_t address_;
    };

    std::size_t size() const { return rows_.size(); }
    /// Calls `expired` for every connection whose deadline has passed.
    void sweep(Instant now);
    std::vector<Pid> connections() const;
    /// Keeps what connections point into for as long as there are any.
    void keep(std::shared_ptr<const void> owner) {
        if (rows_.empty()) owners_.clear();
        owners_.push_back(std::move(owner));
    }

    /// From now on its connections, those that it has too, count here.
    void count_in(std::shared_ptr<ConnectionCounts> counts);
    /// Null: nobody counts them all.
    const std::shared_ptr<ConnectionCounts>& counts() const { return counts_; }
    /// Counts one more on this shard, for the seat of an entry to come. False: there is no room.
    bool enter();

    /// Null: connections are not counted by address.
    std::shared_ptr<AddressCounts> addresses;
    /// Which of their requests are turned away.
    Admission admission;
    /// How many are in a TLS handshake.
    std::uint32_t handshakes = 0;
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
    std::shared_ptr<ConnectionCounts> counts_;
    std::vector<std::shared_ptr<const void>> owners_;
};

/// The table of this shard's listener at an address. It outlives an acceptor that crashes, as its
/// connections do: the next one looks after them.
std::shared_ptr<ConnectionTable> listener_connection_table(const std::string& address);

/// Sweeps a table once a second for as long as it has connections; for connections that no listener
/// looks after.
std::shared_ptr<ConnectionTable> client_connection_table();

}  // namespace bennu::net
