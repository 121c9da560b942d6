#include "apps/assetronics/lib/imports/plan.hpp"

#include "bennu/base/ascii.hpp"

namespace assetronics::imports {
namespace {

using namespace bennu;

Error refused(std::string code, std::string message) {
    return Error::field("file", std::move(code), std::move(message));
}

/// Up to the end of the first lines: enough to see the encoding and the separator.
std::string beginning_of(CsvReader::Source source) {
    std::string text(16 * 1024, '\0');
    text.resize(source(0, std::span(text)));
    return text;
}

/// Reports hold a cell, not a book.
std::string shortened(std::string_view text) {
    constexpr std::size_t most = 200;
    if (text.size() <= most) return std::string(text);
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
}

std::string not_known(std::string_view what, std::string_view names) {
    return "is no " + std::string(what) + "; known are: " + std::string(names);
}

/// One cell as the text that the assets context reads.
Result<std::string> read_cell(std::string_view field, const std::string& cell, DateOrder dates) {
    const auto word = [&](std::optional<std::string_view> found, std::string_view what,
                          std::string_view names) -> Result<std::string> {
        if (found) return std::string(*found);
        return Error(ErrorKind::invalid, "not_one_of", not_known(what, names));
    };
    if (field == "purchase_date" || field == "warranty_end") {
        return read_date(cell, dates).transform([](Date date) { return to_string(date); });
    }
    if (field == "cost") {
        return read_cost(cell).transform([](Money cost) { return to_string(cost); });
    }
    if (field == "status") {
        return word(read_status(cell), "status",
                    "on_order, in_stock, assigned, in_transit, in_repair, retired, lost, stolen");
    }
    if (field == "condition")
        return word(read_condition(cell), "condition", "new, good, fair, poor, damaged");
    if (field == "category") {
        return word(read_category(cell), "category",
                    "laptop, desktop, monitor, phone, tablet, peripheral, server, "
                    "network_equipment, other");
    }
    return cell;
}

/// An asset is assigned by a person, to somebody who is known here. So `assigned` says nothing of
/// the status, and the name of who has it is kept as a note.
void leave_assignment_to_people(Json& asset) {
    if (asset["status"] == Json("assigned")) asset.erase("status");
    const auto holder = asset.get<std::string>(holder_field);
    asset.erase(holder_field);
    if (!holder) return;
    std::string notes = asset.get<std::string>("notes").value_or("");
    notes += (notes.empty() ? "" : "\n") + std::string("Assigned to: ") + *holder;
    asset.set("notes", notes);
}

}  // namespace

Result<Plan> make_plan(const Function<CsvReader::Source() const>& open) {
    const std::string beginning = beginning_of(open());
    if (trim(beginning).empty()) return refused("empty", "The file is empty.");
    if (beginning.starts_with("\xFF\xFE") || beginning.starts_with("\xFE\xFF")) {
        return refused("invalid_utf8", "The file is UTF-16; save it as \"CSV UTF-8\".");
    }
    if (beginning.starts_with("PK\x03\x04")) {
        return refused("not_csv",
                       "The file is a spreadsheet or an archive; save it as \"CSV UTF-8\".");
    }
    Plan plan;
    plan.separator = detect_separator(beginning);
    std::optional<CsvRow> header;
    {
        CsvReader reader(open(), plan.separator);
        header = reader.next();
        plan.first_row = reader.position();
    }
    if (!header) return refused("empty", "The file has no header.");
    if (header->problem)
        return refused(header->problem->code, "The header " + header->problem->message + ".");
    Result<ColumnMap> columns = match_columns(header->cells);
    if (!columns) return std::move(columns).error();
    plan.columns = *std::move(columns);

    DateOrderVote vote;
    CsvReader reader(open(), plan.separator, plan.first_row, plan.limits());
    while (std::optional<CsvRow> row = reader.next()) {
        if (++plan.total > max_rows) {
            return Error(ErrorKind::too_large, "too_many_rows",
                         "The file has more than 200,000 rows; split it and import the parts.");
        }
        if (row->problem || row->cells.size() != plan.columns.count) continue;
        vote.see(cell_of(plan, *row, "purchase_date"));
        vote.see(cell_of(plan, *row, "warranty_end"));
        plan.first_lines.try_emplace(cell_of(plan, *row, "tag"), row->line);
    }
    plan.dates = vote.decide();
    return plan;
}

std::string cell_of(const Plan& plan, const CsvRow& row, std::string_view field) {
    const ColumnMatch* match = plan.columns.find(field);
    return match && match->index < row.cells.size() ? row.cells[match->index] : std::string();
}

std::optional<Json> read_row(const Plan& plan, const CsvRow& row, std::vector<RowError>& errors) {
    const std::size_t before = errors.size();
    if (row.problem) {
        errors.push_back(
            {row.line, row.problem->field, row.problem->code, row.problem->message, ""});
        return std::nullopt;
    }
    if (row.cells.size() != plan.columns.count) {
        errors.push_back({row.line, "", "columns",
                          "has " + std::to_string(row.cells.size()) +
                              " columns where the header has " + std::to_string(plan.columns.count),
                          shortened(row.cells.front())});
        return std::nullopt;
    }
    Json asset = Json::object();
    for (const ColumnMatch& match : plan.columns.matched) {
        const std::string& cell = row.cells[match.index];
        const bool needed = match.field == "tag" || match.field == "name";
        if (trim(cell).empty()) {
            if (needed)
                errors.push_back({row.line, std::string(match.field), "required", "is empty", ""});
            continue;
        }
        Result<std::string> text = read_cell(match.field, cell, plan.dates);
        if (!text) {
            errors.push_back({row.line, std::string(match.field), std::string(text.error().code()),
                              std::string(text.error().message()), shortened(cell)});
            continue;
        }
        asset.set(match.field, *std::move(text));
    }
    const std::string tag = cell_of(plan, row, "tag");
    const auto first = plan.first_lines.find(tag);
    if (!tag.empty() && first != plan.first_lines.end() && first->second != row.line) {
        errors.push_back({row.line, "tag", "taken",
                          "is also in line " + std::to_string(first->second), shortened(tag)});
    }
    if (errors.size() > before) return std::nullopt;
    leave_assignment_to_people(asset);
    return asset;
}

}  // namespace assetronics::imports
