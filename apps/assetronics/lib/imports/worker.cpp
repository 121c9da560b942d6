#include "apps/assetronics/lib/imports/worker.hpp"

#include <algorithm>

#include "apps/assetronics/lib/activity/activity.hpp"
#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/lib/imports/store.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/offload.hpp"

namespace assetronics::imports {
namespace {

using namespace bennu;

constexpr std::size_t chunk_rows = 500;
constexpr Duration progress_interval = std::chrono::milliseconds(200);

/// A file that is being read. Shared with the jobs that read it on another thread, one at a time,
/// so that a worker can be killed while one of them runs.
struct OpenFile {
    Plan plan;
    CsvReader reader;

    static Result<std::shared_ptr<OpenFile>> open(const std::string& path, CsvPosition at) {
        Result<CsvReader::Source> source = open_file(path);
        if (!source) return std::move(source).error();
        Result<Plan> plan = make_plan([&] { return open_file(path).value(); });
        if (!plan) return std::move(plan).error();
        const CsvPosition from = at.offset > 0 ? at : plan->first_row;
        const char separator = plan->separator;
        const CsvLimits limits = plan->limits();
        return std::make_shared<OpenFile>(*std::move(plan), *std::move(source), separator, from,
                                          limits);
    }
    OpenFile(Plan p, CsvReader::Source source, char separator, CsvPosition from, CsvLimits limits)
        : plan(std::move(p)), reader(std::move(source), separator, from, limits) {}
};

struct Chunk {
    std::vector<Json> assets;         // of good rows
    std::vector<std::int64_t> lines;  // theirs
    std::vector<RowError> errors;
    std::int64_t processed = 0;
    std::int64_t failed = 0;
    CsvPosition next;
};

Chunk read_chunk(OpenFile& file) {
    Chunk chunk;
    while (chunk.processed < static_cast<std::int64_t>(chunk_rows)) {
        std::optional<CsvRow> row = file.reader.next();
        if (!row) break;
        ++chunk.processed;
        if (std::optional<Json> asset = read_row(file.plan, *row, chunk.errors)) {
            chunk.assets.push_back(*std::move(asset));
            chunk.lines.push_back(row->line);
        } else {
            ++chunk.failed;
        }
    }
    chunk.next = file.reader.position();
    return chunk;
}

/// What the assets context said of one row, as the report tells it.
void add_refusal(std::vector<RowError>& errors, std::int64_t line, const Json& asset,
                 const Error& error) {
    if (error.fields().empty()) {
        errors.push_back({line, "", std::string(error.code()), std::string(error.message()), ""});
    }
    for (const FieldError& field : error.fields()) {
        const std::string name = field.field.substr(field.field.rfind('.') + 1);
        errors.push_back(
            {line, name, field.code, field.message, asset.get<std::string>(name).value_or("")});
    }
}

class ImportRun {
  public:
    ImportRun(Scope scope, ImportRow row, std::vector<RowError> shown)
        : scope_(std::move(scope)), row_(std::move(row)), shown_(std::move(shown)) {}

    const ImportRow& row() const { return row_; }

    Task<Result<>> begin() {
        if (row_.status == ImportStatus::running) co_return Result<>();
        ImportRow next = row_;
        next.status = ImportStatus::running;
        next.started_at = wall_now();
        row_ = co_await require(scope_.repo.update(std::move(next)));
        tell();
        co_return Result<>();
    }

    /// The chunk's rows, its errors and the new place in the file: all or nothing.
    Task<Result<>> take(Chunk chunk) {
        const std::int64_t before = row_.created_count + row_.updated_count;
        Result<ImportRow> done = co_await scope_.repo.transaction(
            [&](Tx tx) -> Task<Result<ImportRow>> {
                co_return co_await write(scope_.within(std::move(tx)), chunk);
            },
            {.deadline = std::chrono::seconds(30)});
        if (!done) co_return std::move(done).error();
        row_ = *std::move(done);
        for (std::size_t i = 0; i < chunk.errors.size() && shown_.size() < shown_errors; ++i) {
            shown_.push_back(chunk.errors[i]);
        }
        const std::int64_t count = row_.created_count + row_.updated_count - before;
        if (count > 0) {
            pubsub::broadcast(scope_.topic("assets"), "assets_imported",
                              assets::AssetsImported{count});
        }
        if (now() - told_ >= progress_interval) tell();
        co_return Result<>();
    }

    Task<Result<>> finish() {
        ImportRow next = row_;
        next.status = ImportStatus::completed;
        next.finished_at = wall_now();
        std::vector<activity::Transaction> told;
        Result<ImportRow> done =
            co_await scope_.repo.transaction([&](Tx tx) -> Task<Result<ImportRow>> {
                co_return co_await conclude(scope_.within(std::move(tx)), next, told);
            });
        if (!done) co_return std::move(done).error();
        row_ = *std::move(done);
        tell();
        activity::announce(scope_, told);
        co_return Result<>();
    }

    Task<Result<>> fail(std::string reason) {
        ImportRow next = row_;
        next.status = ImportStatus::failed;
        next.finished_at = wall_now();
        const RowError error{0, "", "failed", std::move(reason), ""};
        Result<ImportRow> done =
            co_await scope_.repo.transaction([&](Tx tx) -> Task<Result<ImportRow>> {
                co_return co_await give_up(scope_.within(std::move(tx)), next, error);
            });
        if (!done) co_return std::move(done).error();
        row_ = *std::move(done);
        if (shown_.size() < shown_errors) shown_.push_back(error);
        tell();
        co_return Result<>();
    }

  private:
    Task<Result<ImportRow>> write(Scope scope, Chunk& chunk) {
        ImportRow next = row_;
        if (!chunk.assets.empty()) {
            std::vector<Json> rows = chunk.assets;
            auto outcomes = co_await require(assets::import_rows(scope, std::move(rows)));
            for (std::size_t i = 0; i < outcomes.size(); ++i) {
                if (!outcomes[i]) {
                    add_refusal(chunk.errors, chunk.lines[i], chunk.assets[i], outcomes[i].error());
                    ++chunk.failed;
                    continue;
                }
                next.created_count += *outcomes[i] == assets::Imported::created;
                next.updated_count += *outcomes[i] == assets::Imported::updated;
            }
        }
        std::ranges::sort(chunk.errors, {},
                          [](const RowError& e) { return std::pair(e.line, e.field); });
        next.processed += chunk.processed;
        next.failed_count += chunk.failed;
        next.position_offset = static_cast<std::int64_t>(chunk.next.offset);
        next.position_line = chunk.next.line;
        co_await require(add_errors(scope, next, chunk.errors));
        co_return co_await scope.repo.update(std::move(next));
    }

    Task<Result<ImportRow>> conclude(Scope scope, ImportRow next,
                                     std::vector<activity::Transaction>& told) {
        std::string text = "Imported " + next.filename + ": " + std::to_string(next.created_count) +
                           " created, " + std::to_string(next.updated_count) + " updated";
        if (next.failed_count > 0) text += ", " + std::to_string(next.failed_count) + " refused";
        activity::Transaction entry;
        entry.type = activity::TransactionType::import;
        entry.description = std::move(text);
        std::vector<activity::Transaction> entries;
        entries.push_back(std::move(entry));
        told = co_await require(activity::record(scope, std::move(entries)));
        co_return co_await scope.repo.update(std::move(next));
    }

    Task<Result<ImportRow>> give_up(Scope scope, ImportRow next, RowError error) {
        std::vector<RowError> errors;
        errors.push_back(std::move(error));
        co_await require(add_errors(scope, next, std::move(errors)));
        co_return co_await scope.repo.update(std::move(next));
    }

    void tell() {
        told_ = now();
        pubsub::broadcast(scope_.topic("imports"), "import_progress",
                          ImportProgress{public_import(row_, shown_)});
    }

    Scope scope_;
    ImportRow row_;
    std::vector<RowError> shown_;
    Instant told_{};
};

Task<Result<ImportRun>> load(Repo repo, std::string tenant, Id id) {
    Scope scope{std::move(repo), std::move(tenant)};
    ImportRow row = co_await require(scope.repo.get<ImportRow>(scope.tenant, id));
    scope.actor = row.performed_by;
    auto shown = co_await require(stored_errors(scope, id, 0, shown_errors));
    co_return ImportRun(std::move(scope), std::move(row), std::move(shown));
}

}  // namespace

Task<Result<>> run_import(Repo repo, std::string folder, std::string tenant, Id id) {
    ImportRun run = co_await require(load(std::move(repo), std::move(tenant), id));
    if (run.row().over()) co_return Result<>();
    const std::string path = file_of(folder, id);
    auto opened =
        co_await offload([path, at = run.row().position()] { return OpenFile::open(path, at); });
    if (!opened) {
        if (opened.error().kind() == ErrorKind::overloaded) co_return std::move(opened).error();
        co_return co_await run.fail("The uploaded file is no longer there: " +
                                    std::string(opened.error().message()));
    }
    const std::shared_ptr<OpenFile> file = *std::move(opened);
    co_await require(run.begin());
    while (true) {
        Chunk chunk = co_await offload([file] { return read_chunk(*file); });
        if (chunk.processed == 0) break;
        co_await require(run.take(std::move(chunk)));
    }
    co_await require(run.finish());
    co_await offload([path] { remove_file(path); });
    co_return Result<>();
}

Task<Result<>> fail_import(Repo repo, std::string tenant, Id id, std::string reason) {
    ImportRun run = co_await require(load(std::move(repo), std::move(tenant), id));
    if (run.row().over()) co_return Result<>();
    co_return co_await run.fail(std::move(reason));
}

}  // namespace assetronics::imports
