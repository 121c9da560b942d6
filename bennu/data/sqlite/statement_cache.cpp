#include "bennu/data/sqlite/statement_cache.hpp"

#include <sqlite3.h>

namespace bennu::data {

sqlite3_stmt* StatementCache::find(std::string_view sql) {
    const auto found = index_.find(sql);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->statement;
}

void StatementCache::add(std::string sql, sqlite3_stmt* statement) {
    if (entries_.size() == capacity_) {
        index_.erase(entries_.back().sql);
        sqlite3_finalize(entries_.back().statement);
        entries_.pop_back();
    }
    entries_.push_front({std::move(sql), statement});
    index_.emplace(entries_.front().sql, entries_.begin());
}

void StatementCache::clear() {
    index_.clear();
    for (const Entry& entry : entries_) sqlite3_finalize(entry.statement);
    entries_.clear();
}

}  // namespace bennu::data
