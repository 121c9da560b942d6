#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "bennu/data/changeset.hpp"
#include "bennu/data/engine.hpp"
#include "bennu/data/query.hpp"
#include "bennu/data/sql.hpp"
#include "bennu/data/transaction.hpp"

namespace bennu {

class Repo;

namespace data {
/// What a transaction's body yields: R of `Task<Result<R>>`.
template <typename Body>
using BodyResult = typename std::invoke_result_t<Body&, Repo>::value_type::value_type;

/// The query for one row by key. A key of the wrong type, and a tenant that is missing or not
/// wanted, are faults.
QueryState key_query(const Schema& schema, const Value* tenant, Value key);
Error row_not_found(const Schema& schema);
}  // namespace data

/// The way to a database. A handle: copy it freely, use it on any shard. The body of a transaction
/// gets a Repo whose calls are part of it, so that the same context functions work within and
/// without.
///
/// Reads see every write that was acknowledged before. A write is acknowledged once it is on disk.
/// Errors: broken constraints come back as `invalid` with the field (`taken`, `not_found`,
/// `required`, the check's own code); `overloaded` when too much waits; `timeout` (a write that was
/// not acknowledged in time may still happen); `unavailable` when the storage fails (disk full).
class Repo {
  public:
    Repo() = default;
    explicit Repo(std::shared_ptr<data::Engine> engine) : engine_(std::move(engine)) {}
    explicit operator bool() const { return engine_ != nullptr; }

    // Reading.

    template <Stored T>
    Task<Result<std::vector<T>>> all(this Repo self, Query<T> query) {
        Result<data::Outcome> done =
            co_await self.select(std::move(query).state(), data::RowBuffer::of<T>());
        if (!done) co_return std::move(done).error();
        co_return done->rows.template take<T>();
    }
    /// The first row, if any.
    template <Stored T>
    Task<Result<std::optional<T>>> one(this Repo self, Query<T> query) {
        Result<std::vector<T>> rows = co_await self.all(std::move(query).limit(1));
        if (!rows) co_return std::move(rows).error();
        if (rows->empty()) co_return std::optional<T>();
        co_return std::optional<T>(std::move(rows->front()));
    }
    /// By primary key; `not_found` when there is no such row.
    template <Stored T, typename K>
    Task<Result<T>> get(this Repo self, K key) {
        Result<data::Outcome> done =
            co_await self.select(data::key_query(schema_of<T>(), nullptr, data::to_value(key)),
                                 data::RowBuffer::of<T>());
        co_return only_row<T>(std::move(done));
    }
    /// By primary key, of one tenant.
    template <Stored T, typename N, typename K>
    Task<Result<T>> get(this Repo self, N tenant, K key) {
        Value owner = data::to_value(tenant);
        Result<data::Outcome> done = co_await self.select(
            data::key_query(schema_of<T>(), &owner, data::to_value(key)), data::RowBuffer::of<T>());
        co_return only_row<T>(std::move(done));
    }
    template <Stored T>
    Task<Result<bool>> exists(this Repo self, Query<T> query) {
        co_return co_await self.exists_where(std::move(query).state());
    }
    /// Ignores the query's limit and offset.
    template <Stored T>
    Task<Result<std::int64_t>> count(this Repo self, Query<T> query) {
        co_return co_await self.count_where(std::move(query).state());
    }
    template <Record Row>
    Task<Result<std::vector<Row>>> query(this Repo self, Sql<Row> sql) {
        Result<data::Outcome> done =
            co_await self.read_sql(sql.text(), sql.params(), data::RowBuffer::of<Row>());
        if (!done) co_return std::move(done).error();
        co_return done->rows.template take<Row>();
    }

    // Writing.

    /// Inserts and returns the row as stored: a nil id gets a new one, an integer key of 0 the
    /// database's, timestamps the present.
    template <Stored T>
    Task<Result<T>> insert(this Repo self, T record) {
        Result<> done = co_await self.insert_one(schema_of<T>(), &record, data::RowBuffer::of<T>());
        if (!done) co_return std::move(done).error();
        co_return std::move(record);
    }
    template <Stored T>
    Task<Result<T>> insert(this Repo self, Changeset<T> changeset) {
        Result<T> record = changeset.apply();
        if (!record) co_return std::move(record).error();
        co_return co_await self.insert(*std::move(record));
    }
    /// All rows or none; keys that the database makes are not filled in.
    template <Stored T>
    Task<Result<std::vector<T>>> insert_all(this Repo self, std::vector<T> records) {
        Result<data::Outcome> done =
            co_await self.insert_many(schema_of<T>(), pointers(records), Rows::all_or_none);
        if (!done) co_return std::move(done).error();
        co_return std::move(records);
    }
    /// Every row that the constraints admit, in one unit: an outcome per row, in order.
    template <Stored T>
    Task<Result<std::vector<Result<T>>>> insert_each(this Repo self, std::vector<T> records) {
        auto done = co_await self.insert_each_of(schema_of<T>(), pointers(records));
        if (!done) co_return std::move(done).error();
        std::vector<Result<T>> outcomes;
        outcomes.reserve(records.size());
        for (std::size_t i = 0; i < records.size(); ++i) {
            if ((*done)[i]) {
                outcomes.emplace_back(std::move(records[i]));
            } else {
                outcomes.emplace_back(std::move((*done)[i]).error());
            }
        }
        co_return std::move(outcomes);
    }
    /// Inserts, or sets these fields of the row that has the same `target` (a unique key). Returns
    /// the row as stored.
    template <Stored T>
    Task<Result<T>> upsert(this Repo self, T record, Fields<T> target, Fields<T> fields) {
        Result<data::Outcome> done = co_await self.upsert_one(
            schema_of<T>(), &record, target.list(), fields.list(), data::RowBuffer::of<T>());
        co_return only_row<T>(std::move(done));
    }
    /// Writes the record's fields to its row (all, or just these; `updated_at` always);
    /// `not_found` when it is gone.
    template <Stored T>
    Task<Result<T>> update(this Repo self, T record, Fields<std::type_identity_t<T>> fields = {}) {
        Result<> done = co_await self.update_one(schema_of<T>(), &record, fields.list());
        if (!done) co_return std::move(done).error();
        co_return std::move(record);
    }
    /// Writes the changed fields only; none changed means no SQL.
    template <Stored T>
    Task<Result<T>> update(this Repo self, Changeset<T> changeset) {
        Result<T> record = changeset.apply();
        if (!record || !changeset.changed()) co_return std::move(record);
        Result<> done =
            co_await self.update_one(schema_of<T>(), &*record, changeset.changed_fields());
        if (!done) co_return std::move(done).error();
        co_return std::move(record);
    }
    /// How many rows it changed.
    template <Stored T>
    Task<Result<std::int64_t>> update_all(this Repo self, Query<T> query,
                                          Set<std::type_identity_t<T>> values) {
        co_return co_await self.update_where(std::move(query).state(), values.values());
    }
    /// `not_found` when it was gone.
    template <Stored T>
    Task<Result<>> remove(this Repo self, T record) {
        co_return co_await self.remove_one(schema_of<T>(), &record);
    }
    /// How many rows it removed.
    template <Stored T>
    Task<Result<std::int64_t>> remove_all(this Repo self, Query<T> query) {
        co_return co_await self.remove_where(std::move(query).state());
    }
    /// How many rows it changed.
    Task<Result<std::int64_t>> execute(this Repo self, Sql<> sql);
    /// Many statements in one text, as one unit: for migrations and tools.
    Task<Result<>> execute_script(this Repo self, std::string text);

    // Transactions.

    /// Runs `body(Repo) -> Task<Result<R>>`: its success is committed, anything else (an error, a
    /// fault, cancellation, the deadline) leaves no trace. Within a transaction it is a savepoint.
    /// After a call failed, a body should give up or have made that call in a transaction of its
    /// own: some engines refuse everything else. Writing through the outer repo from within waits
    /// for this transaction to end, so use the one that the body is given.
    template <typename F>
    Task<Result<data::BodyResult<F>>> transaction(this Repo self, F body,
                                                  TransactionOptions options = {}) {
        Result<data::TransactionScope> scope =
            co_await data::TransactionScope::open(self.engine_, self.transaction_, options);
        if (!scope) co_return std::move(scope).error();
        Result<data::BodyResult<F>> outcome =
            co_await body(Repo(self.engine_, scope->transaction()));
        if (!outcome) co_return std::move(outcome);
        Result<> committed = co_await scope->commit();
        if (!committed) co_return std::move(committed).error();
        co_return std::move(outcome);
    }
    bool in_transaction() const { return transaction_ != nullptr; }

    // The engine.

    data::EngineStats stats() const { return engine_->stats(); }
    /// Refuses new work, interrupts what runs, closes files.
    Task<> close(this Repo self);

  private:
    enum class Rows : std::uint8_t { all_or_none, each };

    Repo(std::shared_ptr<data::Engine> engine, std::shared_ptr<data::Transaction> transaction)
        : engine_(std::move(engine)), transaction_(std::move(transaction)) {}

    template <typename T>
    static Result<T> only_row(Result<data::Outcome> done) {
        if (!done) return std::move(done).error();
        std::vector<T> rows = done->rows.template take<T>();
        if (rows.empty()) return data::row_not_found(schema_of<T>());
        return std::move(rows.front());
    }
    template <typename T>
    static std::vector<void*> pointers(std::vector<T>& records) {
        std::vector<void*> list;
        list.reserve(records.size());
        for (T& record : records) list.push_back(&record);
        return list;
    }

    using Outcome = data::Outcome;
    Task<Result<Outcome>> read(this Repo self, data::Request request);
    Task<Result<Outcome>> write(this Repo self, data::Request request, const Schema* schema,
                                const void* record);
    Task<Error> explain(this Repo self, data::Violation violation, const Schema* schema,
                        const void* record);
    Task<Result<Outcome>> select(this Repo self, data::QueryState query, data::RowBuffer rows);
    Task<Result<bool>> exists_where(this Repo self, data::QueryState query);
    Task<Result<std::int64_t>> count_where(this Repo self, data::QueryState query);
    Task<Result<Outcome>> read_sql(this Repo self, std::string text, std::vector<Value> params,
                                   data::RowBuffer rows);
    Task<Result<>> insert_one(this Repo self, const Schema& schema, void* record,
                              data::RowBuffer rows);
    Task<Result<Outcome>> insert_many(this Repo self, const Schema& schema,
                                      std::vector<void*> records, Rows mode);
    Task<Result<std::vector<Result<>>>> insert_each_of(this Repo self, const Schema& schema,
                                                       std::vector<void*> records);
    Task<Result<Outcome>> upsert_one(this Repo self, const Schema& schema, void* record,
                                     std::vector<const Field*> target,
                                     std::vector<const Field*> fields, data::RowBuffer rows);
    Task<Result<>> update_one(this Repo self, const Schema& schema, void* record,
                              std::vector<const Field*> fields);
    Task<Result<std::int64_t>> update_where(this Repo self, data::QueryState query,
                                            std::vector<std::pair<const Field*, Value>> values);
    Task<Result<>> remove_one(this Repo self, const Schema& schema, const void* record);
    Task<Result<std::int64_t>> remove_where(this Repo self, data::QueryState query);

    std::shared_ptr<data::Engine> engine_;
    std::shared_ptr<data::Transaction> transaction_;  // null: every call on its own
};

/// What the body of a transaction is given.
using Tx = Repo;

}  // namespace bennu
