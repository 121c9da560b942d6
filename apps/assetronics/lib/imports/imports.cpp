#include "apps/assetronics/lib/imports/imports.hpp"

#include <algorithm>
#include <filesystem>

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
Result<ImportRow> examine(const Function<CsvReader::Source() const>& open) {
    Result<Plan> plan = make_plan(open);
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

Error file_too_large() {
    return Error(ErrorKind::too_large, "too_large", "The file is larger than 32 MiB; split it.");
}

/// Looks through a file and puts it where it waits; off the shard.
using Keep = Function<Result<ImportRow>(const std::string& to) const>;

Task<Result<Import>> take(Scope scope, std::string filename, Keep keep) {
    const Ref<Manager> manager = whereis<Manager>(std::string(Manager::name));
    std::string folder = co_await require(co_await try_call(manager, Manager::Folder{}));
    const Id id = new_id();
    ImportRow row = co_await require(
        co_await offload([keep = std::move(keep), to = file_of(folder, id)] { return keep(to); }));
    row.id = id;
    row.tenant = scope.tenant;
    row.filename = display_name(filename);
    row.performed_by = scope.actor;
    row = co_await require(scope.repo.insert(std::move(row)));
    cast(manager, Manager::Run{scope.tenant, id});
    co_return public_import(row, {});
}

}  // namespace

Task<Result<Import>> start(Scope scope, std::string filename, std::string csv) {
    if (csv.size() > max_file) co_return file_too_large();
    const auto text = std::make_shared<const std::string>(std::move(csv));
    co_return co_await take(
        std::move(scope), std::move(filename), [text](const std::string& to) -> Result<ImportRow> {
            Result<ImportRow> examined = examine([&] { return csv_text(*text); });
            if (!examined) return examined;
            Result<> kept = keep_file(to, *text);
            if (!kept) return std::move(kept).error();
            return examined;
        });
}

Task<Result<Import>> start_file(Scope scope, std::string filename, std::string path) {
    co_return co_await take(std::move(scope), std::move(filename),
                            [from = std::move(path)](const std::string& to) -> Result<ImportRow> {
                                std::error_code failure;
                                const auto size = std::filesystem::file_size(from, failure);
                                if (!failure && size > max_file) return file_too_large();
                                Result<CsvReader::Source> readable = open_file(from);
                                if (!readable) return std::move(readable).error();
                                Result<ImportRow> examined =
                                    examine([&] { return open_file(from).value(); });
                                if (!examined) return examined;
                                Result<> taken = take_file(from, to);
                                if (!taken) return std::move(taken).error();
                                return examined;
                            });
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
