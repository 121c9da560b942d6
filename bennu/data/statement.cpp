#include "bennu/data/statement.hpp"

#include <stdexcept>

namespace bennu::data {

namespace {

/// Builds one statement; every value becomes a parameter.
class Writer {
  public:
    explicit Writer(Dialect dialect) : dialect_(dialect) {}

    Writer& text(std::string_view sql) {
        out_.sql += sql;
        return *this;
    }
    Writer& name(std::string_view identifier) {
        out_.sql += '"';
        out_.sql += identifier;
        out_.sql += '"';
        return *this;
    }
    Writer& value(Value value) {
        out_.params.push_back(std::move(value));
        if (dialect_ == Dialect::sqlite) {
            out_.sql += '?';
        } else {
            out_.sql += '$' + std::to_string(out_.params.size());
        }
        return *this;
    }
    template <typename R>
    Writer& names(const R& fields) {
        const char* comma = "";
        for (const Field* field : fields) {
            text(comma).name(field->name);
            comma = ", ";
        }
        return *this;
    }
    Writer& condition(const Condition& condition);
    Writer& where(const QueryState& query) {
        if (query.where) text(" WHERE ").condition(*query.where);
        return *this;
    }
    Writer& order_and_limit(const QueryState& query);
    /// ` WHERE "id" = ?` and the tenant's, of one record.
    Writer& this_row(const Schema& schema, const void* record);
    /// A DELETE or UPDATE of some rows in an order names them by key.
    Writer& rows_of(const QueryState& query);
    Statement take() { return std::move(out_); }

  private:
    Writer& list(const Condition& condition, std::string_view separator);
    Writer& comparison(const Condition& condition);
    Writer& pattern(const Condition& condition, bool anywhere);

    Dialect dialect_;
    Statement out_;
};

std::string escaped_pattern(const std::string& text, bool anywhere) {
    std::string pattern = anywhere ? "%" : "";
    for (char c : text) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    pattern += '%';
    return pattern;
}

Writer& Writer::pattern(const Condition& condition, bool anywhere) {
    const std::string* wanted = std::get_if<std::string>(&condition.values.at(0));
    name(condition.field->name);
    // SQLite's LIKE ignores the case of ASCII letters; PostgreSQL has a word of its own for that.
    text(dialect_ == Dialect::sqlite ? " LIKE " : " ILIKE ");
    value(escaped_pattern(wanted ? *wanted : std::string(), anywhere));
    return text(" ESCAPE '\\'");
}

Writer& Writer::comparison(const Condition& condition) {
    const auto plain = [&](std::string_view op) -> Writer& {
        return name(condition.field->name).text(op).value(condition.values.at(0));
    };
    switch (condition.compare) {
        case Compare::eq:
            if (is_null(condition.values.at(0)))
                return name(condition.field->name).text(" IS NULL");
            return plain(" = ");
        case Compare::ne:
            // An absent optional differs from every value, which SQL's <> denies.
            if (!condition.field->ops->is_optional()) return plain(" <> ");
            return plain(dialect_ == Dialect::sqlite ? " IS NOT " : " IS DISTINCT FROM ");
        case Compare::lt:
            return plain(" < ");
        case Compare::le:
            return plain(" <= ");
        case Compare::gt:
            return plain(" > ");
        case Compare::ge:
            return plain(" >= ");
        case Compare::is_null:
            return name(condition.field->name).text(" IS NULL");
        case Compare::contains:
            return pattern(condition, true);
        case Compare::starts_with:
            return pattern(condition, false);
        case Compare::in:
            break;
    }
    if (condition.values.empty()) return text("1 = 0");
    name(condition.field->name).text(" IN (");
    for (std::size_t i = 0; i < condition.values.size(); ++i) {
        if (i > 0) text(", ");
        value(condition.values[i]);
    }
    return text(")");
}

Writer& Writer::list(const Condition& condition, std::string_view separator) {
    text("(");
    for (std::size_t i = 0; i < condition.operands.size(); ++i) {
        if (i > 0) text(separator);
        this->condition(condition.operands[i]);
    }
    return text(")");
}

Writer& Writer::condition(const Condition& condition) {
    switch (condition.kind) {
        case Condition::Kind::compare:
            return comparison(condition);
        case Condition::Kind::all:
            return list(condition, " AND ");
        case Condition::Kind::any:
            return list(condition, " OR ");
        case Condition::Kind::negation:
            break;
    }
    return text("NOT ").list(condition, "");
}

Writer& Writer::order_and_limit(const QueryState& query) {
    const char* before = " ORDER BY ";
    for (const Ordering& each : query.order) {
        text(before).name(each.field->name);
        if (each.direction == Direction::descending) text(" DESC");
        before = ", ";
    }
    if (query.limit) {
        text(" LIMIT ").value(*query.limit);
    } else if (query.offset > 0 && dialect_ == Dialect::sqlite) {
        text(" LIMIT -1");
    }
    if (query.offset > 0) text(" OFFSET ").value(query.offset);
    return *this;
}

Writer& Writer::rows_of(const QueryState& query) {
    if (!query.limit && query.offset == 0) return where(query);
    const std::string_view key = query.schema->key().name;
    text(" WHERE ").name(key).text(" IN (SELECT ").name(key).text(" FROM ");
    return name(query.schema->table()).where(query).order_and_limit(query).text(")");
}

Writer& Writer::this_row(const Schema& schema, const void* record) {
    // Without a key this would be every row.
    if (schema.primary_key().empty()) throw std::logic_error(schema.table() + " has no key");
    const char* before = " WHERE ";
    const auto add = [&](const Field& field) {
        text(before).name(field.name).text(" = ").value(get_value(field.of(record), *field.ops));
        before = " AND ";
    };
    for (const Field* field : schema.primary_key()) add(*field);
    if (schema.tenant() && !schema.is_primary_key(*schema.tenant())) add(*schema.tenant());
    return *this;
}

Writer& set_list(Writer& out, const void* record, std::span<const Field* const> fields) {
    const char* comma = "";
    for (const Field* field : fields) {
        out.text(comma).name(field->name).text(" = ");
        out.value(get_value(field->of(record), *field->ops));
        comma = ", ";
    }
    return out;
}

}  // namespace

Statement select_statement(const QueryState& query, Dialect dialect) {
    Writer out(dialect);
    out.text("SELECT ").names(query.schema->columns()).text(" FROM ").name(query.schema->table());
    return out.where(query).order_and_limit(query).take();
}

Statement count_statement(const QueryState& query, Dialect dialect) {
    Writer out(dialect);
    out.text("SELECT count(*) AS \"count\" FROM ").name(query.schema->table());
    return out.where(query).take();
}

Statement exists_statement(const QueryState& query, Dialect dialect) {
    Writer out(dialect);
    out.text("SELECT 1 AS \"count\" FROM ").name(query.schema->table());
    return out.where(query).text(" LIMIT 1").take();
}

Statement delete_statement(const QueryState& query, Dialect dialect) {
    return Writer(dialect).text("DELETE FROM ").name(query.schema->table()).rows_of(query).take();
}

Statement update_statement(const QueryState& query,
                           std::span<const std::pair<const Field*, Value>> values,
                           Dialect dialect) {
    Writer out(dialect);
    out.text("UPDATE ").name(query.schema->table()).text(" SET ");
    const char* comma = "";
    for (const auto& [field, value] : values) {
        out.text(comma).name(field->name).text(" = ").value(value);
        comma = ", ";
    }
    return out.rows_of(query).take();
}

bool key_from_database(const Schema& schema, const void* record) {
    if (schema.primary_key().size() != 1) return false;
    const Field& key = schema.key();
    return key.ops->kind == FieldKind::int64 && load_integer(key.of(record), *key.ops) == 0;
}

Statement insert_statement(const Schema& schema, std::span<const void* const> records,
                           Dialect dialect) {
    const bool made_key = key_from_database(schema, records.front());
    std::vector<const Field*> columns = schema.columns();
    if (made_key) std::erase(columns, &schema.key());
    Writer out(dialect);
    out.text("INSERT INTO ").name(schema.table()).text(" (").names(columns).text(") VALUES ");
    const char* row_comma = "";
    for (const void* record : records) {
        out.text(row_comma).text("(");
        const char* comma = "";
        for (const Field* field : columns) {
            out.text(comma).value(get_value(field->of(record), *field->ops));
            comma = ", ";
        }
        out.text(")");
        row_comma = ", ";
    }
    if (made_key && records.size() == 1) out.text(" RETURNING ").name(schema.key().name);
    return out.take();
}

Statement upsert_statement(const Schema& schema, const void* record,
                           std::span<const Field* const> target,
                           std::span<const Field* const> update, Dialect dialect) {
    const void* const records[] = {record};
    Statement insert = insert_statement(schema, records, dialect);
    if (const std::size_t at = insert.sql.rfind(" RETURNING "); at != std::string::npos) {
        insert.sql.resize(at);
    }
    Writer out(dialect);
    out.text(" ON CONFLICT (").names(target).text(") DO UPDATE SET ");
    const char* comma = "";
    for (const Field* field : update) {
        out.text(comma).name(field->name).text(" = excluded.").name(field->name);
        comma = ", ";
    }
    out.text(" RETURNING ").names(schema.columns());
    insert.sql += out.take().sql;
    return insert;
}

Statement update_record_statement(const Schema& schema, const void* record,
                                  std::span<const Field* const> fields, Dialect dialect) {
    Writer out(dialect);
    out.text("UPDATE ").name(schema.table()).text(" SET ");
    return set_list(out, record, fields).this_row(schema, record).take();
}

Statement delete_record_statement(const Schema& schema, const void* record, Dialect dialect) {
    Writer out(dialect);
    return out.text("DELETE FROM ").name(schema.table()).this_row(schema, record).take();
}

Statement row_exists_statement(const Reference& reference, Value value, Dialect dialect) {
    Writer out(dialect);
    out.text("SELECT 1 AS \"count\" FROM ").name(reference.table).text(" WHERE ");
    return out.name(reference.column).text(" = ").value(std::move(value)).text(" LIMIT 1").take();
}

std::string with_placeholders(std::string_view sql, Dialect dialect) {
    if (dialect == Dialect::sqlite) return std::string(sql);
    std::string out;
    int next = 0;
    char quote = 0;
    for (char c : sql) {
        if (quote) {
            if (c == quote) quote = 0;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '?') {
            out += '$' + std::to_string(++next);
            continue;
        }
        out += c;
    }
    return out;
}

}  // namespace bennu::data
