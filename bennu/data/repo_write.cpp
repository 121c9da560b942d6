#include <algorithm>

#include "bennu/data/repo.hpp"

namespace bennu {

using data::Outcome;
using data::Request;
using data::Statement;

namespace {

/// This shard's ids, in order of time.
struct ShardIds {
    IdGenerator generator{Random(secure_random_u64())};
};

template <typename T>
T& member(void* record, const Field& field) {
    return *static_cast<T*>(field.of(record));
}

void touch(void* record, const Field* field, Timestamp at) {
    if (field) member<Timestamp>(record, *field) = at;
}

/// Fills what the repo is responsible for in a new row.
void prepare_new(const Schema& schema, void* record) {
    for (const Field* key : schema.primary_key()) {
        if (key->ops->kind != FieldKind::uuid || schema.primary_key().size() > 1) continue;
        Id& id = member<Id>(record, *key);
        if (id.is_nil()) id = shard_local<ShardIds>().generator.next(wall_now());
    }
    touch(record, schema.inserted_at(), wall_now());
    touch(record, schema.updated_at(), wall_now());
}

Request request_of(Statement statement, data::RowBuffer rows = {}) {
    Request request;
    request.statements.push_back(std::move(statement));
    request.rows = std::move(rows);
    return request;
}

}  // namespace

Task<Result<>> Repo::insert_one(this Repo self, const Schema& schema, void* record,
                                data::RowBuffer rows) {
    prepare_new(schema, record);
    const bool made_key = data::key_from_database(schema, record);
    const void* const records[] = {record};
    Statement statement = data::insert_statement(schema, records, self.engine_->dialect());
    Result<Outcome> done = co_await self.write(
        request_of(std::move(statement), made_key ? std::move(rows) : data::RowBuffer()), &schema,
        record);
    if (!done) co_return std::move(done).error();
    if (made_key) {
        const Field& key = schema.key();
        Result<> set =
            set_value(key.of(record), *key.ops, get_value(key.of(done->rows.first()), *key.ops));
        if (!set) co_return set;
    }
    co_return Result<>();
}

Task<Result<Outcome>> Repo::insert_many(this Repo self, const Schema& schema,
                                        std::vector<void*> records, Rows mode) {
    if (records.empty()) co_return Outcome{};
    for (void* record : records) prepare_new(schema, record);
    // Full chunks share one text, and with it one prepared statement.
    const std::size_t fits = self.engine_->max_parameters() / schema.columns().size();
    const std::size_t rows = mode == Rows::each ? 1 : std::min<std::size_t>(100, fits);
    Request request;
    request.each = mode == Rows::each;
    for (std::size_t i = 0; i < records.size(); i += rows) {
        const std::size_t count = std::min(rows, records.size() - i);
        request.statements.push_back(
            data::insert_statement(schema, std::span<const void* const>(records.data() + i, count),
                                   self.engine_->dialect()));
    }
    co_return co_await self.write(std::move(request), &schema, nullptr);
}

Task<Result<std::vector<Result<>>>> Repo::insert_each_of(this Repo self, const Schema& schema,
                                                         std::vector<void*> records) {
    Result<Outcome> done = co_await self.insert_many(schema, records, Rows::each);
    if (!done) co_return std::move(done).error();
    std::vector<Result<>> outcomes(records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (!done->violations[i]) continue;
        outcomes[i] = co_await self.explain(*done->violations[i], &schema, records[i]);
    }
    co_return std::move(outcomes);
}

Task<Result<Outcome>> Repo::upsert_one(this Repo self, const Schema& schema, void* record,
                                       std::vector<const Field*> target,
                                       std::vector<const Field*> fields, data::RowBuffer rows) {
    prepare_new(schema, record);
    if (schema.updated_at()) {
        std::erase(fields, schema.updated_at());
        fields.push_back(schema.updated_at());
    }
    Statement statement =
        data::upsert_statement(schema, record, target, fields, self.engine_->dialect());
    co_return co_await self.write(request_of(std::move(statement), std::move(rows)), &schema,
                                  record);
}

Task<Result<>> Repo::update_one(this Repo self, const Schema& schema, void* record,
                                std::vector<const Field*> fields) {
    if (fields.empty()) fields = schema.columns();
    touch(record, schema.updated_at(), wall_now());
    if (schema.updated_at()) fields.push_back(schema.updated_at());
    // In the order of the columns and once each; what identifies the row stays.
    std::vector<const Field*> columns;
    for (const Field* column : schema.columns()) {
        if (schema.is_primary_key(*column) || column == schema.tenant() ||
            column == schema.inserted_at()) {
            continue;
        }
        if (std::ranges::find(fields, column) != fields.end()) columns.push_back(column);
    }
    if (columns.empty()) co_return Result<>();
    Result<Outcome> done = co_await self.write(
        request_of(data::update_record_statement(schema, record, columns, self.engine_->dialect())),
        &schema, record);
    if (!done) co_return std::move(done).error();
    if (done->changes == 0) co_return data::row_not_found(schema);
    co_return Result<>();
}

Task<Result<std::int64_t>> Repo::update_where(this Repo self, data::QueryState query,
                                              std::vector<std::pair<const Field*, Value>> values) {
    query.check();
    const Field* updated_at = query.schema->updated_at();
    const auto is_touched = [&](const auto& each) { return each.first == updated_at; };
    if (updated_at && std::ranges::none_of(values, is_touched)) {
        values.emplace_back(updated_at, data::to_value(wall_now()));
    }
    Result<Outcome> done = co_await self.write(
        request_of(data::update_statement(query, values, self.engine_->dialect())), query.schema,
        nullptr);
    if (!done) co_return std::move(done).error();
    co_return done->changes;
}

Task<Result<>> Repo::remove_one(this Repo self, const Schema& schema, const void* record) {
    Result<Outcome> done = co_await self.write(
        request_of(data::delete_record_statement(schema, record, self.engine_->dialect())), &schema,
        nullptr);
    if (!done) {
        if (done.error().code() != "foreign_key") co_return std::move(done).error();
        co_return Error(ErrorKind::conflict, "in_use", "other rows still refer to this one");
    }
    if (done->changes == 0) co_return data::row_not_found(schema);
    co_return Result<>();
}

Task<Result<std::int64_t>> Repo::remove_where(this Repo self, data::QueryState query) {
    query.check();
    Result<Outcome> done = co_await self.write(
        request_of(data::delete_statement(query, self.engine_->dialect())), query.schema, nullptr);
    if (!done) {
        if (done.error().code() != "foreign_key") co_return std::move(done).error();
        co_return Error(ErrorKind::conflict, "in_use", "other rows still refer to one of these");
    }
    co_return done->changes;
}

}  // namespace bennu
