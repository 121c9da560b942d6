#include "apps/assetronics/lib/imports/store.hpp"

namespace assetronics::imports {

using namespace bennu;

BENNU_DEFINE_SCHEMA(ImportRow, bennu::schema<ImportRow>("imports")
                                   .tenant(&ImportRow::tenant)
                                   .timestamps(&ImportRow::inserted_at))
BENNU_DEFINE_SCHEMA(ErrorRow, bennu::schema<ErrorRow>("import_errors")
                                  .primary_key({&ErrorRow::import_id, &ErrorRow::position})
                                  .tenant(&ErrorRow::tenant))

Import public_import(const ImportRow& row, std::vector<RowError> errors) {
    return {.id = row.id,
            .filename = row.filename,
            .status = row.status,
            .total = row.total,
            .processed = row.processed,
            .created_count = row.created_count,
            .updated_count = row.updated_count,
            .failed_count = row.failed_count,
            .columns = row.columns,
            .ignored_columns = row.ignored_columns,
            .errors = std::move(errors),
            .error_count = row.error_count,
            .started_at = row.started_at,
            .finished_at = row.finished_at};
}

Task<Result<std::vector<RowError>>> stored_errors(Scope scope, Id import_id, std::int64_t first,
                                                  std::int64_t count) {
    auto rows = co_await require(scope.repo.all(
        from<ErrorRow>()
            .for_tenant(scope.tenant)
            .where(col(&ErrorRow::import_id) == import_id && col(&ErrorRow::position) >= first)
            .order_by(asc(&ErrorRow::position))
            .limit(count)));
    std::vector<RowError> errors;
    errors.reserve(rows.size());
    for (ErrorRow& row : rows) {
        errors.push_back({row.line, std::move(row.field), std::move(row.code),
                          std::move(row.message), std::move(row.value)});
    }
    co_return errors;
}

Task<Result<>> add_errors(Scope scope, ImportRow& row, std::vector<RowError> errors) {
    if (errors.empty()) co_return Result<>();
    std::vector<ErrorRow> rows;
    rows.reserve(errors.size());
    for (RowError& error : errors) {
        rows.push_back({row.id, row.error_count++, row.tenant, error.line, std::move(error.field),
                        std::move(error.code), std::move(error.message), std::move(error.value)});
    }
    auto stored = co_await scope.repo.insert_all(std::move(rows));
    co_return std::move(stored).transform([](auto&&) {});
}

Task<Result<std::vector<ImportRow>>> unfinished(Repo repo) {
    co_return co_await repo.all(
        from<ImportRow>()
            .across_tenants()
            .where(col(&ImportRow::status).in({ImportStatus::pending, ImportStatus::running}))
            .order_by(asc(&ImportRow::inserted_at), asc(&ImportRow::id)));
}

}  // namespace assetronics::imports
