#include "apps/assetronics/lib/imports/imports.hpp"

#include <algorithm>

#include "apps/assetronics/lib/imports/manager.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/runtime/offload.hpp"

namespace assetronics::imports {

using namespace bennu;

namespace {

/// The last part of the name that the client gave, as text that can be shown.
std::string display_name(std::string_view filename) {
    filename.remove_prefix(filename.find_last_of("/\\") + 1);
    std::string name = repair_utf8(filename);
    std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (name.size() > 200) name = repair_utf8(name.substr(0, 200));
    return name.empty() ? "import.csv" : name;
}

/// What can be said of a file at once.
Result<ImportRow> examine(std::string_view csv) {
    Result<Plan> plan = make_plan([csv] { return csv_text(csv); });
    if (!plan) return std::move(plan).error();
    ImportRow row;
    row.total = plan->total;
    for (const ColumnMatch& match : plan->columns.matched) {
        const std::string_view field = match.field == holder_field ? "notes" : match.field;
        row.columns.push_back({match.column, std::string(field)});
    }
    row.ignored_columns = plan->columns.ignored;
    return row;
}

/// A spreadsheet takes text that begins with one of these for a formula.
std::string harmless(std::string_view cell) {
    const bool formula = !cell.empty() && std::string_view("=+-@\t\r").contains(cell.front());
    return (formula ? "'" : "") + std::string(cell);
}

}  // namespace

Task<Result<Import>> start(Scope scope, std::string filename, std::string csv) {
    if (csv.size() > max_file) {
        co_return Error(ErrorKind::too_large, "too_large",
                        "The file is larger than 32 MiB; split it.");
    }
    const Ref<Manager> manager = whereis<Manager>(std::string(Manager::name));
    std::string folder = co_await require(co_await try_call(manager, Manager::Folder{}));
    const Id id = new_id();
    const auto text = std::make_shared<const std::string>(std::move(csv));
    ImportRow row = co_await require(
        co_await offload([text, path = file_of(folder, id)]() -> Result<ImportRow> {
            Result<ImportRow> examined = examine(*text);
            if (!examined) return examined;
            Result<> kept = keep_file(path, *text);
            if (!kept) return std::move(kept).error();
            return examined;
        }));
    row.id = id;
    row.tenant = scope.tenant;
    row.filename = display_name(filename);
    row.performed_by = scope.actor;
    row = co_await require(scope.repo.insert(std::move(row)));
    cast(manager, Manager::Run{scope.tenant, id});
    co_return public_import(row, {});
}

Task<Result<Import>> get(Scope scope, Id id) {
    ImportRow row = co_await require(scope.repo.get<ImportRow>(scope.tenant, id));
    auto errors = co_await require(stored_errors(scope, id, 0, shown_errors));
    co_return public_import(row, std::move(errors));
}

Task<Result<std::string>> errors_csv(Scope scope, Id id) {
    constexpr std::int64_t page = 1000;
    ImportRow row = co_await require(scope.repo.get<ImportRow>(scope.tenant, id));
    std::string out = "line,field,code,message,value\r\n";
    for (std::int64_t first = 0; first < row.error_count; first += page) {
        for (const RowError& error : co_await require(stored_errors(scope, id, first, page))) {
            const std::string line = std::to_string(error.line);
            const std::string value = harmless(error.value);
            const std::string_view cells[] = {line, error.field, error.code, error.message, value};
            append_csv_row(out, cells);
        }
    }
    co_return out;
}

ChildSpec child_imports(Repo repo, std::string folder) {
    return child<Manager>({.id = "imports", .name = std::string(Manager::name)}, std::move(repo),
                          std::move(folder));
}

}  // namespace assetronics::imports
