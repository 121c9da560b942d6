#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/result.hpp"

namespace assetronics::imports {

/// Where a row begins: enough to go on reading later, in another process.
struct CsvPosition {
    std::uint64_t offset = 0;
    std::int64_t line = 1;
};

struct CsvLimits {
    std::size_t columns = 100;
    std::size_t field = 16 * 1024;  ///< bytes
    std::size_t row = 256 * 1024;   ///< bytes, as written
    /// Cells of every row; 0: any number. A row over several lines that has another number is taken
    /// for a stray quote: its first line is reported, and the lines after it are read as rows of
    /// their own.
    std::size_t expected = 0;
    /// Rows with stray quotes; each costs a second look at what follows it.
    unsigned unclosed_quotes = 1000;
};

/// One row. Cells are valid UTF-8, without white space around unquoted ones.
struct CsvRow {
    std::int64_t line = 0;  ///< physical line of the file on which it begins, from 1
    std::vector<std::string> cells;
    /// Set when the row cannot be read (`cells` is empty then): codes `invalid_utf8`,
    /// `control_character`, `unclosed_quote`, `too_long`, `too_many_columns`. The rows after it are
    /// not affected.
    std::optional<bennu::FieldError> problem;
};

/// Reads a CSV file piece by piece, row by row, with bounded memory. Understands CRLF, LF and CR,
/// quotes with separators and line breaks in them, doubled quotes, and a byte order mark. Blank
/// rows are passed over.
class CsvReader {
  public:
    /// Fills `into` with the file's bytes from `offset` on; 0 at its end.
    using Source = bennu::Function<std::size_t(std::uint64_t offset, std::span<char> into)>;

    CsvReader(Source source, char separator, CsvPosition from = {}, CsvLimits limits = {});
    ~CsvReader();
    CsvReader(const CsvReader&) = delete;
    CsvReader& operator=(const CsvReader&) = delete;

    /// Nothing at the end of the file.
    std::optional<CsvRow> next();
    /// Where the row begins that `next` will look for.
    CsvPosition position() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A source over text in memory, which must outlive it.
CsvReader::Source csv_text(std::string_view text);

/// Which of `,`, `;` and tab separates the cells: the one that the first row has most of, outside
/// of quotes.
char detect_separator(std::string_view beginning);

/// One row as CSV, quoted where needed, ending in CRLF.
void append_csv_row(std::string& out, std::span<const std::string_view> cells);

}  // namespace assetronics::imports
