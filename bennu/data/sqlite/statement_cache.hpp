#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3_stmt;

namespace bennu::data {

/// The statements that a connection used last, prepared.
class StatementCache {
  public:
    explicit StatementCache(std::size_t capacity) : capacity_(capacity) {}
    ~StatementCache() { clear(); }
    StatementCache(const StatementCache&) = delete;
    StatementCache& operator=(const StatementCache&) = delete;

    /// nullptr when this text is not prepared.
    sqlite3_stmt* find(std::string_view sql);
    /// Takes the statement over; the one used longest ago makes room.
    void add(std::string sql, sqlite3_stmt* statement);
    void clear();
    std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        std::string sql;
        sqlite3_stmt* statement;
    };
    std::size_t capacity_;
    std::list<Entry> entries_;  // the most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
};

}  // namespace bennu::data
