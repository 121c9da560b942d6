#include "apps/assetronics/tools/import_report.hpp"

#include <algorithm>

namespace assetronics::tools {

using bennu::Json;

namespace {

constexpr std::size_t shown_rows = 20;
constexpr std::int64_t bar_width = 30;

std::int64_t number(const Json& import, std::string_view field) {
    return import.get<std::int64_t>(field).value_or(0);
}
std::string text(const Json& object, std::string_view field) {
    return printable(object.get<std::string_view>(field).value_or(""));
}

std::string padded(std::string value, std::size_t width) {
    if (value.size() < width) value.append(width - value.size(), ' ');
    return value;
}

std::string bad_rows(const Json& import, std::string_view download) {
    const std::size_t known = import["errors"].size();
    const std::size_t count = std::min(known, shown_rows);
    std::string out;
    std::size_t line_width = 4, field_width = 5;
    for (std::size_t i = 0; i < count; ++i) {
        line_width =
            std::max(line_width, std::to_string(number(import["errors"][i], "line")).size());
        field_width = std::max(field_width, text(import["errors"][i], "field").size());
    }
    out += "  " + padded("line", line_width) + "  " + padded("field", field_width) + "  reason\n";
    for (std::size_t i = 0; i < count; ++i) {
        const Json& error = import["errors"][i];
        const std::string value = text(error, "value");
        out += "  " + padded(std::to_string(number(error, "line")), line_width) + "  " +
               padded(text(error, "field"), field_width) + "  " +
               printable(error.get<std::string_view>("message").value_or(""), 250) +
               (value.empty() ? "" : ": \"" + value + "\"") + "\n";
    }
    const std::int64_t total = number(import, "error_count");
    if (total > static_cast<std::int64_t>(count)) {
        out += "  … and " + grouped(total - static_cast<std::int64_t>(count)) + " more\n";
    }
    return out + "All of them: " + std::string(download) + "\n";
}

}  // namespace

std::string grouped(std::int64_t value) {
    std::string digits = std::to_string(value);
    const std::ptrdiff_t first = digits.starts_with('-') ? 1 : 0;
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return digits;
}

std::string printable(std::string_view value, std::size_t most) {
    std::string out;
    for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    if (out.size() <= most) return out;
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    return out.substr(0, end) + "…";
}

std::string progress_line(const Json& import) {
    const std::int64_t total = number(import, "total");
    const std::int64_t processed = std::min(number(import, "processed"), total);
    const std::int64_t percent = total > 0 ? processed * 100 / total : 100;
    const auto filled = static_cast<std::size_t>(percent * bar_width / 100);
    std::string line = "[" + std::string(filled, '#') + std::string(bar_width - filled, '-') + "] ";
    line += padded(std::to_string(percent) + "%", 4) + "  " + grouped(processed) + " of " +
            grouped(total) + " rows";
    if (const std::int64_t bad = number(import, "failed_count"))
        line += ", " + grouped(bad) + " bad";
    return line;
}

std::string import_report(const Json& import, std::string_view download) {
    std::string out = "Imported " + text(import, "filename") + ": " +
                      grouped(number(import, "created_count")) + " created, " +
                      grouped(number(import, "updated_count")) + " updated, " +
                      grouped(number(import, "failed_count")) + " bad (of " +
                      grouped(number(import, "processed")) + " rows)\n";
    const std::int64_t unchanged = number(import, "processed") - number(import, "created_count") -
                                   number(import, "updated_count") - number(import, "failed_count");
    if (unchanged > 0) out += grouped(unchanged) + " rows were there already and say nothing new\n";
    if (const Json& ignored = import["ignored_columns"]; ignored.size() > 0) {
        out += "Columns that mean nothing here:";
        for (std::size_t i = 0; i < ignored.size(); ++i) {
            out +=
                (i > 0 ? ", " : " ") + printable(ignored[i].get<std::string_view>().value_or(""));
        }
        out += '\n';
    }
    if (text(import, "status") == "failed") out = "The import failed.\n" + out;
    if (number(import, "error_count") > 0) out += bad_rows(import, download);
    return out;
}

int import_status(const Json& import) {
    if (text(import, "status") != "completed") return 1;
    return number(import, "failed_count") > 0 ? 2 : 0;
}

}  // namespace assetronics::tools
