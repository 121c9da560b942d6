#include "apps/assetronics/lib/imports/csv_reader.hpp"

#include <gtest/gtest.h>

#include "bennu/base/random.hpp"

namespace assetronics::imports::csv_reader_test {

/// The rows as `line:cell|cell`, or `line!code`.
std::vector<std::string> rows_of(std::string_view text, CsvLimits limits = {}) {
    CsvReader reader(csv_text(text), detect_separator(text), {}, limits);
    std::vector<std::string> rows;
    while (auto row = reader.next()) {
        std::string out = std::to_string(row->line);
        if (row->problem) {
            rows.push_back(out + "!" + row->problem->code);
            continue;
        }
        for (std::size_t i = 0; i < row->cells.size(); ++i)
            out += (i == 0 ? ":" : "|") + row->cells[i];
        rows.push_back(out);
    }
    return rows;
}

using Rows = std::vector<std::string>;

struct Case {
    const char* name;
    std::string text;
    Rows rows;
    CsvLimits limits = {};
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.name;
}

class CsvReading : public ::testing::TestWithParam<Case> {};

TEST_P(CsvReading, reads) {
    EXPECT_EQ(rows_of(GetParam().text, GetParam().limits), GetParam().rows);
    // The same file however it arrives: piece borders fall anywhere.
    CsvReader reader(
        [&](std::uint64_t offset, std::span<char> into) -> std::size_t {
            return csv_text(GetParam().text)(offset,
                                             into.first(std::min<std::size_t>(into.size(), 1)));
        },
        detect_separator(GetParam().text), {}, GetParam().limits);
    std::size_t count = 0;
    while (reader.next()) ++count;
    EXPECT_EQ(count, GetParam().rows.size());
}

const Case cases[] = {
    {"plain", "a,b\n1,2\n", {"1:a|b", "2:1|2"}},
    {"no_final_newline", "a,b\n1,2", {"1:a|b", "2:1|2"}},
    {"crlf", "a,b\r\n1,2\r\n", {"1:a|b", "2:1|2"}},
    {"old_mac", "a,b\r1,2\r", {"1:a|b", "2:1|2"}},
    {"byte_order_mark",
     "\xEF\xBB\xBF"
     "a,b\n1,2\n",
     {"1:a|b", "2:1|2"}},
    {"semicolons", "a;b\n1,5;2\n", {"1:a|b", "2:1,5|2"}},
    {"tabs", "a\tb\n1\t2,5\n", {"1:a|b", "2:1|2,5"}},
    {"quotes", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", {"1:a|b", "2:x,y|say \"hi\""}},
    {"quoted_newlines", "a,b\n\"x\ny\r\nz\",2\n3,4\n", {"1:a|b", "2:x\ny\r\nz|2", "5:3|4"}},
    {"quoted_newline_in_header", "\"a\nb\",c\n1,2\n", {"1:a\nb|c", "3:1|2"}},
    {"inches", "a,b\n24\" monitor,x\n", {"1:a|b", "2:24\" monitor|x"}},
    {"blank_rows", "\n\na,b\n\n  \n,\n1,2\n\n", {"3:a|b", "7:1|2"}},
    {"spaces_around", "a , b\n  1 ,\" 2 \"\n", {"1:a|b", "2:1| 2 "}},
    {"empty_cells", "a,b,c\n,,3\n", {"1:a|b|c", "2:||3"}},
    {"quotes_within_quotes", "a,b\n\"24\" wide\",x\n1,2\n", {"1:a|b", "2:24\" wide|x", "3:1|2"}},
    {"quotes_within_the_last_line", "a,b\n1,24\" wide", {"1:a|b", "2:1|24\" wide"}},
    {"unclosed_quote_at_the_end", "a,b\n\"1,2\n3,4\n", {"1:a|b", "2!unclosed_quote", "3:3|4"}},
    {"stray_quote_swallows_no_rows",
     "a,b\n\"x,1\n3,4\n\"y\",5\n",
     {"1:a|b", "2!unclosed_quote", "3:3|4", "4:y|5"},
     {.expected = 2}},
    {"bad_utf8", "a,b\nM\xFCller,1\n3,4\n", {"1:a|b", "2!invalid_utf8", "3:3|4"}},
    {"nul", std::string("a,b\n1\0,2\n3,4\n", 13), {"1:a|b", "2!control_character", "3:3|4"}},
    {"long_field", "a,b\nxxxxxxxxxx,2\n3,4\n", {"1:a|b", "2!too_long", "3:3|4"}, {.field = 8}},
    {"long_line",
     "a,b\nxxxxxxxxxxxxxxxxxx,2\n3,4\n",
     {"1:a|b", "2!too_long", "3:3|4"},
     {.row = 16}},
    {"many_columns",
     "a,b\n1,2,3,4\n3,4\n",
     {"1:a|b", "2!too_many_columns", "3:3|4"},
     {.columns = 3}},
    {"nothing", "", {}},
    {"only_newlines", "\n\r\n\n", {}},
};
INSTANTIATE_TEST_SUITE_P(Files, CsvReading, ::testing::ValuesIn(cases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(CsvReader, goes_on_from_any_row) {
    std::string text = "tag,notes\n";
    for (int i = 0; i < 5000; ++i) {
        text +=
            "A-" + std::to_string(i) + ",\"line one\nline two of " + std::to_string(i) + "\"\r\n";
    }
    CsvReader whole(csv_text(text), ',');
    std::vector<std::pair<CsvPosition, std::string>> seen;
    while (true) {
        const CsvPosition at = whole.position();
        auto row = whole.next();
        if (!row) break;
        seen.emplace_back(at, std::to_string(row->line) + row->cells[0]);
    }
    ASSERT_EQ(seen.size(), 5001U);
    for (std::size_t i = 1; i < seen.size(); i += 777) {
        CsvReader later(csv_text(text), ',', seen[i].first);
        auto row = later.next();
        ASSERT_TRUE(row);
        EXPECT_EQ(std::to_string(row->line) + row->cells[0], seen[i].second);
    }
}

TEST(CsvReader, any_bytes_end_and_can_be_gone_on_with) {
    constexpr std::string_view alphabet("aab,,\"\"\n\n\r; \t\0\xFF\xC3\xA9", 18);
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        bennu::Random random(seed);
        std::string text;
        for (std::uint64_t i = random.below(80); i > 0; --i) {
            text += alphabet[random.below(alphabet.size())];
        }
        const CsvLimits limits{.columns = 4, .field = 8, .row = 30, .expected = random.below(3)};
        const auto describe = [](const CsvRow& row) {
            std::string out = std::to_string(row.line) + (row.problem ? row.problem->code : "");
            for (const std::string& cell : row.cells) out += "|" + cell;
            return out;
        };
        CsvReader whole(csv_text(text), ',', {}, limits);
        std::vector<std::string> rows;
        std::vector<CsvPosition> places{whole.position()};
        while (auto row = whole.next()) {
            ASSERT_GE(row->line, places.back().line);
            rows.push_back(describe(*row));
            ASSERT_GT(whole.position().offset, places.back().offset);
            places.push_back(whole.position());
            ASSERT_LE(places.back().offset, text.size());
        }
        for (std::size_t from = 1; from < places.size(); ++from) {
            CsvReader later(csv_text(text), ',', places[from], limits);
            for (std::size_t i = from; i < rows.size(); ++i) {
                auto row = later.next();
                ASSERT_TRUE(row) << "seed " << seed;
                ASSERT_EQ(describe(*row), rows[i]) << "seed " << seed;
            }
            ASSERT_FALSE(later.next()) << "seed " << seed;
        }
    }
}

TEST(CsvReader, gives_up_on_a_file_of_stray_quotes) {
    std::string text = "a,b\n";
    for (int i = 0; i < 100; ++i) text += "\"x,1\n";
    text += "1,2\n";
    const auto rows = rows_of(text, {.expected = 2, .unclosed_quotes = 10});
    ASSERT_EQ(rows.size(), 12U);
    EXPECT_EQ(rows.back(), "12!unclosed_quote");
}

TEST(CsvWriter, quotes_what_needs_it) {
    std::string out;
    const std::string_view cells[] = {"plain", "with, comma", "with \"quotes\"", "two\nlines", ""};
    append_csv_row(out, cells);
    EXPECT_EQ(out, "plain,\"with, comma\",\"with \"\"quotes\"\"\",\"two\nlines\",\r\n");
}

}  // namespace assetronics::imports::csv_reader_test
