#pragma once

#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/runtime/supervisor.hpp"

/// Files of assets on their way into the inventory. An import is a record and a process: it reads
/// the file in chunks, and each chunk's rows, its bad rows and the place in the file are written in
/// one transaction, so that an import that was interrupted (also by a kill) goes on where it
/// stopped and takes every row once.
///
/// An asset whose tag is known is updated where the file says something else (empty cells say
/// nothing); the others are created. A row with a mistake is reported and changes nothing; the rows
/// around it go in.
namespace assetronics::imports {

enum class ImportStatus : std::uint8_t { pending, running, completed, failed };
BENNU_ENUM(ImportStatus, pending, running, completed, failed)

/// A column of the file and the field that it fills.
struct Column {
    std::string column;
    std::string field;
};
BENNU_RECORD(Column, column, field)

/// What is wrong with one cell of one row. `field` is empty when it is the whole row.
struct RowError {
    std::int64_t line = 0;
    std::string field;
    std::string code;
    std::string message;
    std::string value;
};
BENNU_RECORD(RowError, line, field, code, message, value)

/// An import as the outside sees it. Counts are rows; a row that is there already and says nothing
/// new is `processed` only. `errors` are the first hundred of `error_count`.
struct Import {
    Id id;
    std::string filename;
    ImportStatus status = ImportStatus::pending;
    std::int64_t total = 0;
    std::int64_t processed = 0;
    std::int64_t created_count = 0;
    std::int64_t updated_count = 0;
    std::int64_t failed_count = 0;
    std::vector<Column> columns;
    std::vector<std::string> ignored_columns;
    std::vector<RowError> errors;
    std::int64_t error_count = 0;
    std::optional<Timestamp> started_at;
    std::optional<Timestamp> finished_at;
};
BENNU_RECORD(Import, id, filename, status, total, processed, created_count, updated_count,
             failed_count, columns, ignored_columns, errors, error_count, started_at, finished_at)

/// What `imports:<tenant>` is told while one runs: `import_progress`.
struct ImportProgress {
    Import import;
};
BENNU_RECORD(ImportProgress, import)

/// The longest file, in bytes.
inline constexpr std::size_t max_file = 32 << 20;

/// Keeps the file and starts to import it in the background; progress goes to `imports:<tenant>`.
/// Refused: a file that cannot be read as a table with a tag and a name column, over `max_file`
/// bytes or 200,000 rows.
Task<Result<Import>> start(Scope scope, std::string filename, std::string csv);
/// The same of a file on disk, which is read in pieces. It is moved away from `path` when it is
/// taken, and left there when it is refused.
Task<Result<Import>> start_file(Scope scope, std::string filename, std::string path);
Task<Result<Import>> get(Scope scope, Id id);
/// All bad rows, as CSV with a header.
Task<Result<std::string>> errors_csv(Scope scope, Id id);

/// The process that runs imports; goes on with those that were interrupted. Files wait in `folder`,
/// which it makes.
bennu::ChildSpec child_imports(Repo repo, std::string folder);

}  // namespace assetronics::imports
