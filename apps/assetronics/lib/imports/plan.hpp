#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "apps/assetronics/lib/imports/cells.hpp"
#include "apps/assetronics/lib/imports/columns.hpp"
#include "apps/assetronics/lib/imports/csv_reader.hpp"
#include "apps/assetronics/lib/imports/imports.hpp"

namespace assetronics::imports {

inline constexpr std::int64_t max_rows = 200'000;

/// What must be known of a whole file before its first row can be read. Follows from the file
/// alone, so that an interrupted import reads on in the same way.
struct Plan {
    char separator = ',';
    DateOrder dates = DateOrder::month_first;
    ColumnMap columns;
    CsvPosition first_row;
    std::int64_t total = 0;
    /// The line of the first row with a tag.
    std::unordered_map<std::string, std::int64_t> first_lines;

    CsvLimits limits() const { return {.expected = columns.count}; }
};

/// Looks through a file. Refused: empty files, UTF-16, a header that cannot be read or lacks a tag
/// or a name column
/// (`invalid`), more rows than an import takes (`too_large`). A function that makes a source, since
/// it is read twice.
bennu::Result<Plan> make_plan(const bennu::Function<CsvReader::Source() const>& open);

/// A row as the `assets` context takes it: the fields of an asset as text. Empty cells are left
/// out: a new asset gets the default, a present one keeps what it has. Everything that is wrong is
/// added to `errors`; then nothing comes back.
std::optional<bennu::Json> read_row(const Plan& plan, const CsvRow& row,
                                    std::vector<RowError>& errors);

/// The row's own text for a field; empty when it has none.
std::string cell_of(const Plan& plan, const CsvRow& row, std::string_view field);

}  // namespace assetronics::imports
