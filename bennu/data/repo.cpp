#include "bennu/data/repo.hpp"

#include <stdexcept>

#include "bennu/base/events.hpp"

namespace bennu {

namespace data {

namespace {

/// One for every call that reached an engine.
constinit EventName query_done{"data.query"};

struct Count {
    std::int64_t count = 0;
};
BENNU_RECORD(Count, count)

}  // namespace

QueryState key_query(const Schema& schema, const Value* tenant, Value key) {
    QueryState query{.schema = &schema, .where = {}, .order = {}, .limit = {}};
    std::vector<Value> values;
    const bool text = std::holds_alternative<std::string>(key);
    const FieldKind kind = schema.key().ops->kind;
    if (text == (kind == FieldKind::int32 || kind == FieldKind::int64)) {
        throw std::logic_error("the key of " + schema.table() + " is another type");
    }
    values.push_back(std::move(key));
    query.add(Condition::comparing(schema.key(), Compare::eq, std::move(values)));
    if (tenant) {
        const Field* field = schema.tenant();
        if (!field) throw std::logic_error(schema.table() + " has no tenant column");
        query.add(Condition::comparing(*field, Compare::eq, {*tenant}));
        query.tenant_decided = true;
    }
    return query;
}

Error row_not_found(const Schema& schema) {
    return Error(ErrorKind::not_found, "not_found", "there is no such row in " + schema.table());
}

}  // namespace data

using data::Outcome;
using data::Request;
using data::Statement;

namespace {

Request request_of(Statement statement, data::RowBuffer rows = {}) {
    Request request;
    request.statements.push_back(std::move(statement));
    request.rows = std::move(rows);
    return request;
}

/// Announces a call with its duration when it goes out of scope.
class Measured {
  public:
    explicit Measured(const Request& request)
        : sql_(request.statements.front().sql.substr(0, 500)),
          statements_(request.statements.size()),
          began_(now()) {}
    void finish(const Result<Outcome>& outcome) const {
        emit(data::query_done,
             {{"duration", now() - began_},
              {"rows", outcome ? outcome->rows.size() : 0},
              {"changes", outcome ? outcome->changes : 0},
              {"statements", statements_}},
             {{"sql", sql_}, {"ok", outcome.has_value()}});
    }

  private:
    std::string sql_;
    std::size_t statements_;
    Instant began_;
};

}  // namespace

Task<Result<Outcome>> Repo::read(this Repo self, Request request) {
    const Measured measured(request);
    Result<Outcome> outcome =
        self.transaction_ ? co_await self.engine_->run(self.transaction_->id, std::move(request))
                          : co_await self.engine_->read(std::move(request));
    measured.finish(outcome);
    co_return std::move(outcome);
}

Task<Result<Outcome>> Repo::write(this Repo self, Request request, const Schema* schema,
                                  const void* record) {
    const Measured measured(request);
    Result<Outcome> outcome =
        self.transaction_ ? co_await self.engine_->run(self.transaction_->id, std::move(request))
                          : co_await self.engine_->write(std::move(request));
    measured.finish(outcome);
    if (outcome && outcome->violation) {
        co_return co_await self.explain(*std::move(outcome->violation), schema, record);
    }
    co_return std::move(outcome);
}

/// SQLite does not say which foreign key was broken: looks which of the record's references names
/// no row.
Task<Error> Repo::explain(this Repo self, data::Violation violation, const Schema* schema,
                          const void* record) {
    if (violation.kind == data::Violation::Kind::foreign_key && schema && record) {
        for (const Reference& reference : schema->references()) {
            Value value = get_value(reference.field->of(record), *reference.field->ops);
            if (is_null(value)) continue;
            Result<Outcome> found = co_await self.read(request_of(
                data::row_exists_statement(reference, std::move(value), self.engine_->dialect()),
                data::RowBuffer::of<data::Count>()));
            if (found && found->rows.size() == 0) {
                co_return Error::field(std::string(reference.field->name), "not_found",
                                       "does not exist");
            }
        }
    }
    co_return data::violation_error(violation, schema);
}

Task<Result<Outcome>> Repo::select(this Repo self, data::QueryState query, data::RowBuffer rows) {
    query.check();
    co_return co_await self.read(
        request_of(data::select_statement(query, self.engine_->dialect()), std::move(rows)));
}

Task<Result<bool>> Repo::exists_where(this Repo self, data::QueryState query) {
    query.check();
    Result<Outcome> done =
        co_await self.read(request_of(data::exists_statement(query, self.engine_->dialect()),
                                      data::RowBuffer::of<data::Count>()));
    if (!done) co_return std::move(done).error();
    co_return done->rows.size() > 0;
}

Task<Result<std::int64_t>> Repo::count_where(this Repo self, data::QueryState query) {
    query.check();
    Result<Outcome> done = co_await self.read(request_of(
        data::count_statement(query, self.engine_->dialect()), data::RowBuffer::of<data::Count>()));
    if (!done) co_return std::move(done).error();
    co_return done->rows.take<data::Count>().at(0).count;
}

Task<Result<Outcome>> Repo::read_sql(this Repo self, std::string text, std::vector<Value> params,
                                     data::RowBuffer rows) {
    Statement statement{.sql = data::with_placeholders(text, self.engine_->dialect()),
                        .params = std::move(params)};
    co_return co_await self.read(request_of(std::move(statement), std::move(rows)));
}

Task<Result<std::int64_t>> Repo::execute(this Repo self, Sql<> sql) {
    Statement statement{.sql = data::with_placeholders(sql.text(), self.engine_->dialect()),
                        .params = sql.params()};
    Result<Outcome> done = co_await self.write(request_of(std::move(statement)), nullptr, nullptr);
    if (!done) co_return std::move(done).error();
    co_return done->changes;
}

Task<Result<>> Repo::execute_script(this Repo self, std::string text) {
    Request request = request_of(Statement{.sql = std::move(text), .params = {}, .script = true});
    request.timeout = std::chrono::hours(1);
    Result<Outcome> done = co_await self.write(std::move(request), nullptr, nullptr);
    if (!done) co_return std::move(done).error();
    co_return Result<>();
}

Task<> Repo::close(this Repo self) {
    co_await self.engine_->close();
}

}  // namespace bennu
