#pragma once

#include "apps/assetronics/lib/imports/imports.hpp"
#include "apps/assetronics/lib/imports/plan.hpp"

namespace assetronics::imports {

/// An import as it is stored.
struct ImportRow {
    Id id;
    std::string tenant;
    std::string filename;
    ImportStatus status = ImportStatus::pending;
    std::int64_t total = 0;
    std::int64_t processed = 0;
    std::int64_t created_count = 0;
    std::int64_t updated_count = 0;
    std::int64_t failed_count = 0;
    std::int64_t error_count = 0;
    std::vector<Column> columns;
    std::vector<std::string> ignored_columns;
    std::string performed_by;
    std::int64_t position_offset = 0;
    std::int64_t position_line = 1;
    Timestamp inserted_at;
    std::optional<Timestamp> started_at;
    std::optional<Timestamp> finished_at;

    CsvPosition position() const {
        return {static_cast<std::uint64_t>(position_offset), position_line};
    }
    bool over() const {
        return status == ImportStatus::completed || status == ImportStatus::failed;
    }
};
BENNU_RECORD(ImportRow, id, tenant, filename, status, total, processed, created_count,
             updated_count, failed_count, error_count, columns, ignored_columns, performed_by,
             position_offset, position_line, inserted_at, started_at, finished_at)
BENNU_SCHEMA(ImportRow)

/// A stored bad row; `position` counts them from 0.
struct ErrorRow {
    Id import_id;
    std::int64_t position = 0;
    std::string tenant;
    std::int64_t line = 0;
    std::string field;
    std::string code;
    std::string message;
    std::string value;
};
BENNU_RECORD(ErrorRow, import_id, position, tenant, line, field, code, message, value)
BENNU_SCHEMA(ErrorRow)

inline constexpr std::size_t shown_errors = 100;

Import public_import(const ImportRow& row, std::vector<RowError> errors);
/// From `first` on, at most `count`.
Task<Result<std::vector<RowError>>> stored_errors(Scope scope, Id import_id, std::int64_t first,
                                                  std::int64_t count);
/// Appends errors to those that the import has, and counts them.
Task<Result<>> add_errors(Scope scope, ImportRow& row, std::vector<RowError> errors);
/// Every import that is not over, of all tenants, the oldest first.
Task<Result<std::vector<ImportRow>>> unfinished(Repo repo);

// The files that wait. They block, so call them from `offload`.

std::string file_of(const std::string& folder, Id id);
/// Written whole and on disk, or not at all.
Result<> keep_file(const std::string& path, std::string_view bytes);
/// The same of a file that is there already, which is moved, or copied from another file system.
Result<> take_file(const std::string& from, const std::string& path);
/// A source over a file; fails when it cannot be opened.
Result<CsvReader::Source> open_file(const std::string& path);
void remove_file(const std::string& path);
/// Makes the folder; removes old files of it but those of these imports.
Result<> tidy_folder(const std::string& folder, const std::vector<Id>& keep);

}  // namespace assetronics::imports
