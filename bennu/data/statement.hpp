#pragma once

#include <span>
#include <string>
#include <vector>

#include "bennu/base/value.hpp"
#include "bennu/data/query.hpp"

namespace bennu::data {

/// Whose SQL is written.
enum class Dialect : std::uint8_t { sqlite, postgres };

/// SQL text and the values of its parameters, in order.
struct Statement {
    std::string sql;
    std::vector<Value> params;
    /// Many statements in one text, without parameters (migrations).
    bool script = false;
};

Statement select_statement(const QueryState& query, Dialect dialect);
Statement count_statement(const QueryState& query, Dialect dialect);
Statement exists_statement(const QueryState& query, Dialect dialect);
Statement delete_statement(const QueryState& query, Dialect dialect);
Statement update_statement(const QueryState& query,
                           std::span<const std::pair<const Field*, Value>> values, Dialect dialect);

/// One insert of several rows. An integer primary key that is 0 in the first record is left to the
/// database and returned.
Statement insert_statement(const Schema& schema, std::span<const void* const> records,
                           Dialect dialect);
/// Inserts, or changes `update` of the row that has the same `target`; returns every column.
Statement upsert_statement(const Schema& schema, const void* record,
                           std::span<const Field* const> target,
                           std::span<const Field* const> update, Dialect dialect);
/// Changes these fields of the record's row.
Statement update_record_statement(const Schema& schema, const void* record,
                                  std::span<const Field* const> fields, Dialect dialect);
Statement delete_record_statement(const Schema& schema, const void* record, Dialect dialect);
/// Whether a row with this value exists in the table.
Statement row_exists_statement(const Reference& reference, Value value, Dialect dialect);

/// Text with `?` parameters as the dialect spells them.
std::string with_placeholders(std::string_view sql, Dialect dialect);
/// Whether the database makes this record's key.
bool key_from_database(const Schema& schema, const void* record);

}  // namespace bennu::data
