#include "bennu/net/connection_table.hpp"

#include <map>

namespace bennu::net {

using namespace std::chrono_literals;

ConnectionTable::Entry::Entry(std::shared_ptr<ConnectionTable> table, Expired expired,
                              ConnectionSeat seat)
    : table_(std::move(table)),
      index_(static_cast<std::uint32_t>(table_->rows_.size())),
      counted_(1),
      address_(seat.address) {
    table_->rows_.push_back({Pid(), Instant::max(), expired, this});
    if (!seat.counted && table_->counts_) table_->counts_->add(shard_index());
}

ConnectionTable::Entry::~Entry() {
    if (address_ != 0) table_->addresses->leave(address_);
    if (counted_ && table_->counts_) table_->counts_->leave(shard_index());
    Row& last = table_->rows_.back();
    last.entry->index_ = index_;
    table_->rows_[index_] = last;
    table_->rows_.pop_back();
}

void ConnectionTable::count_in(std::shared_ptr<ConnectionCounts> counts) {
    std::swap(counts_, counts);
    for (const Row& row : rows_) {
        if (!row.entry->counted_) continue;
        if (counts) counts->leave(shard_index());
        counts_->add(shard_index());
    }
}

bool ConnectionTable::enter() {
    if (!counts_) return true;
    if (!counts_->enter()) return false;
    counts_->place_on(shard_index());
    return true;
}

void ConnectionTable::sweep(Instant now) {
    // Those that expire are told afterwards: ending a connection takes it out of the table.
    std::vector<std::pair<Expired, Pid>> overdue;
    for (Row& row : rows_) {
        if (row.deadline > now) continue;
        row.deadline = Instant::max();
        overdue.emplace_back(row.expired, row.connection);
    }
    for (auto [expired, connection] : overdue) expired(connection);
}

std::vector<Pid> ConnectionTable::connections() const {
    std::vector<Pid> pids;
    for (const Row& row : rows_) pids.push_back(row.connection);
    return pids;
}

namespace {

struct ClientTable {
    std::shared_ptr<ConnectionTable> table = std::make_shared<ConnectionTable>();
    Pid sweeper;
};

}  // namespace

std::shared_ptr<ConnectionTable> listener_connection_table(const std::string& address) {
    using Tables = std::map<std::string, std::weak_ptr<ConnectionTable>>;
    std::weak_ptr<ConnectionTable>& known = shard_local<Tables>()[address];
    std::shared_ptr<ConnectionTable> table = known.lock();
    if (!table || table->draining) table = std::make_shared<ConnectionTable>();
    known = table;
    return table;
}

std::shared_ptr<ConnectionTable> client_connection_table() {
    auto& client = shard_local<ClientTable>();
    if (!alive(client.sweeper)) {
        client.sweeper = spawn_task([table = client.table]() -> Task<> {
            do {
                co_await sleep(1s);
                table->sweep(now());
            } while (table->size() > 0);
        });
    }
    return client.table;
}

}  // namespace bennu::net
