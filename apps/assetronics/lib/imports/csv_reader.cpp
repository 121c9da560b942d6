#include "apps/assetronics/lib/imports/csv_reader.hpp"

#include <csv.h>

#include <cstring>
#include <new>

#include "bennu/base/utf8.hpp"

namespace assetronics::imports {
namespace {

using bennu::FieldError;

constexpr std::size_t piece = 64 * 1024;
// States of libcsv's parser.
constexpr int row_not_begun = 0;
constexpr int field_begun = 2;

/// What libcsv reports while it is fed one row.
struct RowSink {
    explicit RowSink(const CsvLimits& most) : limits(&most) {}

    std::vector<std::string> cells;
    const CsvLimits* limits;
    std::size_t columns = 0;
    bool too_long = false;
    bool done = false;

    static void cell(void* data, std::size_t size, void* self) {
        auto& sink = *static_cast<RowSink*>(self);
        if (size > sink.limits->field) sink.too_long = true;
        if (++sink.columns > sink.limits->columns || sink.too_long) return;
        sink.cells.emplace_back(static_cast<const char*>(data), size);
    }
    static void row(int, void* self) { static_cast<RowSink*>(self)->done = true; }
};

bool blank(const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) {
        if (!cell.empty()) return false;
    }
    return true;
}

}  // namespace

struct CsvReader::State {
    State(Source from, char delimiter, CsvPosition at, CsvLimits most)
        : source(std::move(from)),
          separator(delimiter),
          limits(most),
          window_offset(at.offset),
          line(at.line) {
        open_parser();
    }
    ~State() { csv_free(&parser); }

    void open_parser(unsigned char options = CSV_STRICT) {
        if (csv_init(&parser, options) != 0) throw std::bad_alloc();
        csv_set_delim(&parser, static_cast<unsigned char>(separator));
    }
    void reset_parser(unsigned char options = CSV_STRICT) {
        csv_free(&parser);
        open_parser(options);
    }
    /// False when the quotes are not where they may be.
    bool feed(std::size_t from, std::size_t size, RowSink& sink) {
        const std::size_t fed =
            csv_parse(&parser, window.data() + from, size, RowSink::cell, RowSink::row, &sink);
        if (fed == size) return true;
        if (csv_error(&parser) != CSV_EPARSE) throw std::bad_alloc();
        return false;
    }
    /// The bytes from the row's beginning up to `end` after the next line break, reading more as
    /// needed; the whole rest when there is none.
    std::size_t line_end(std::size_t begin);
    bool fill();
    std::optional<CsvRow> read_row();

    /// How far a row goes.
    struct Extent {
        std::size_t size = 0;
        std::size_t first_line = 0;  // bytes of its first physical line
        std::int64_t lines = 0;
        bool oversized = false;  // its next line would make it too long
        bool malformed = false;  // the quotes of its last line are wrong
    };
    Extent gather(RowSink& sink);
    bool close_row(RowSink& sink);
    bool take_line_as_it_is(const Extent& row, RowSink& sink);
    CsvRow stray_quote(const Extent& extent);
    std::optional<FieldError> problem_of(std::string_view raw, const RowSink& sink) const;
    void skip(std::size_t bytes, std::int64_t lines) {
        begin += bytes;
        line += lines;
    }

    Source source;
    char separator;
    CsvLimits limits;
    csv_parser parser{};
    std::string window;           // what was read and may be needed again
    std::uint64_t window_offset;  // of its first byte in the file
    std::size_t begin = 0;        // of the next row in the window
    std::int64_t line;
    unsigned unclosed = 0;
    bool at_end = false;
};

bool CsvReader::State::fill() {
    if (at_end) return false;
    if (begin > piece) {
        window.erase(0, begin);
        window_offset += begin;
        begin = 0;
    }
    const std::size_t had = window.size();
    window.resize(had + piece);
    const std::size_t got = source(window_offset + had, std::span(window).subspan(had));
    window.resize(had + got);
    at_end = got == 0;
    return got != 0;
}

std::size_t CsvReader::State::line_end(std::size_t from) {
    std::size_t looked = from - begin;  // relative, since `fill` moves the window
    while (true) {
        const std::size_t found = window.find_first_of("\r\n", begin + looked);
        if (found != std::string::npos) {
            // CR and LF belong together, so the byte after a CR must be there.
            if (window[found] == '\r' && found + 1 == window.size()) {
                looked = found - begin;
                if (fill()) continue;
                return window.size();
            }
            const bool pair = window[found] == '\r' && window[found + 1] == '\n';
            return found + (pair ? 2 : 1);
        }
        looked = window.size() - begin;
        if (!fill()) return window.size();
    }
}

CsvReader::State::Extent CsvReader::State::gather(RowSink& sink) {
    Extent row;
    while (!sink.done) {
        const std::size_t end = line_end(begin + row.size);
        const std::size_t fed = end - begin - row.size;
        if (fed == 0) break;
        if (row.lines == 0) row.first_line = fed;
        if (row.size + fed > limits.row) {
            row.oversized = true;
            break;
        }
        const bool well_formed = feed(begin + row.size, fed, sink);
        row.size += fed;
        ++row.lines;
        if (!well_formed) {
            row.malformed = true;
            break;
        }
        // A blank line: libcsv says nothing about it.
        if (!sink.done && sink.columns == 0 && parser.pstate == row_not_begun) {
            skip(row.size, row.lines);
            row = {};
        }
    }
    return row;
}

bool CsvReader::State::close_row(RowSink& sink) {
    if (sink.done) return true;
    const bool within_quotes = parser.pstate == field_begun && parser.quoted;
    csv_fini(&parser, RowSink::cell, RowSink::row, &sink);
    return !within_quotes;
}

/// A quote within a field is only a mistake when it goes on past the line: `24" monitor`.
bool CsvReader::State::take_line_as_it_is(const Extent& row, RowSink& sink) {
    sink = RowSink(limits);
    reset_parser(0);
    const bool closed = feed(begin, row.first_line, sink) && close_row(sink);
    reset_parser();
    return closed;
}

/// Only the first line is lost: the next one is taken for a row again.
CsvRow CsvReader::State::stray_quote(const Extent& extent) {
    CsvRow row{.line = line, .cells = {}, .problem = {}};
    reset_parser();
    skip(extent.first_line, 1);
    if (++unclosed <= limits.unclosed_quotes) {
        row.problem = FieldError{"", "unclosed_quote", "has quotes that do not match"};
        return row;
    }
    row.problem =
        FieldError{"", "unclosed_quote", "too many quotes do not match; reading stops here"};
    do {
        begin = window.size();
    } while (fill());
    return row;
}

std::optional<FieldError> CsvReader::State::problem_of(std::string_view raw,
                                                       const RowSink& sink) const {
    if (!bennu::valid_utf8(raw)) {
        return FieldError{"", "invalid_utf8", "is not valid UTF-8; save the file as \"CSV UTF-8\""};
    }
    if (raw.contains('\0')) return FieldError{"", "control_character", "contains a NUL byte"};
    if (sink.too_long) {
        return FieldError{
            "", "too_long",
            "has a field of more than " + std::to_string(limits.field / 1024) + " KiB"};
    }
    if (sink.columns > limits.columns) {
        return FieldError{"", "too_many_columns",
                          "has more than " + std::to_string(limits.columns) + " columns"};
    }
    return std::nullopt;
}

std::optional<CsvRow> CsvReader::State::read_row() {
    RowSink sink(limits);
    const Extent extent = gather(sink);
    if (extent.first_line == 0) return std::nullopt;
    if (extent.oversized) {
        if (extent.lines > 0) return stray_quote(extent);
        CsvRow row{.line = line, .cells = {}, .problem = {}};
        row.problem = FieldError{"", "too_long",
                                 "is longer than " + std::to_string(limits.row / 1024) + " KiB"};
        reset_parser();
        skip(extent.first_line, 1);
        return row;
    }
    const bool one_line = extent.lines == 1;
    const bool closed =
        extent.malformed ? one_line && take_line_as_it_is(extent, sink) : close_row(sink);
    const bool swallowed = !one_line && limits.expected != 0 && sink.columns != limits.expected;
    if (!closed || swallowed) return stray_quote(extent);

    CsvRow row{.line = line, .cells = {}, .problem = {}};
    row.problem = problem_of(std::string_view(window).substr(begin, extent.size), sink);
    if (!row.problem) row.cells = std::move(sink.cells);
    skip(extent.size, extent.lines);
    return row;
}

CsvReader::CsvReader(Source source, char separator, CsvPosition from, CsvLimits limits)
    : state_(std::make_unique<State>(std::move(source), separator, from, limits)) {
    if (from.offset != 0) return;
    state_->fill();
    const std::string_view window = state_->window;
    state_->begin = window.size() - bennu::without_byte_order_mark(window).size();
}
CsvReader::~CsvReader() = default;

std::optional<CsvRow> CsvReader::next() {
    while (true) {
        std::optional<CsvRow> row = state_->read_row();
        // Spreadsheets export the empty rows below a table as separators without cells.
        if (!row || row->problem || !blank(row->cells)) return row;
    }
}

CsvPosition CsvReader::position() const {
    return {state_->window_offset + state_->begin, state_->line};
}

CsvReader::Source csv_text(std::string_view text) {
    return [text](std::uint64_t offset, std::span<char> into) -> std::size_t {
        if (offset >= text.size()) return 0;
        const std::size_t count = std::min(into.size(), text.size() - offset);
        std::memcpy(into.data(), text.data() + offset, count);
        return count;
    };
}

char detect_separator(std::string_view beginning) {
    beginning = bennu::without_byte_order_mark(beginning);
    std::size_t commas = 0, semicolons = 0, tabs = 0;
    bool quoted = false;
    for (const char c : beginning) {
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == '\n' || c == '\r') {
            if (commas + semicolons + tabs > 0) break;
        }
        commas += c == ',';
        semicolons += c == ';';
        tabs += c == '\t';
    }
    if (tabs > commas && tabs > semicolons) return '\t';
    return semicolons > commas ? ';' : ',';
}

void append_csv_row(std::string& out, std::span<const std::string_view> cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) out += ',';
        if (cells[i].find_first_of(",\"\r\n") == std::string_view::npos) {
            out += cells[i];
            continue;
        }
        const std::size_t at = out.size();
        out.resize(at + 2 * cells[i].size() + 2);
        out.resize(at +
                   csv_write(out.data() + at, out.size() - at, cells[i].data(), cells[i].size()));
    }
    out += "\r\n";
}

}  // namespace assetronics::imports
