#include <unistd.h>

#include <filesystem>

#include "bennu/base/random.hpp"
#include "bennu/data/sqlite/readers.hpp"
#include "bennu/data/sqlite/sqlite.hpp"
#include "bennu/data/sqlite/writer.hpp"

namespace bennu {

namespace data {
namespace {

/// Removes a private database when it is closed.
class TemporaryFile {
  public:
    TemporaryFile() = default;
    explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
    TemporaryFile(TemporaryFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TemporaryFile& operator=(TemporaryFile&&) = delete;
    ~TemporaryFile() {
        if (path_.empty()) return;
        std::error_code ignored;
        for (const char* suffix : {"", "-wal", "-shm"}) {
            std::filesystem::remove(path_ + suffix, ignored);
        }
    }

  private:
    std::string path_;
};

struct Connections {
    TemporaryFile temporary;
    std::unique_ptr<SqliteConnection> writer;
    std::vector<std::unique_ptr<SqliteConnection>> readers;
};

Result<Connections> connect(SqliteOptions options) {
    const bool temporary = options.path == ":memory:";
    if (temporary) {
        const std::string name = "bennu-" + std::to_string(::getpid()) + "-" +
                                 std::to_string(secure_random_u64()) + ".db";
        options.path = std::filesystem::temp_directory_path() / name;
    }
    Connections made{.temporary = temporary ? TemporaryFile(options.path) : TemporaryFile(),
                     .writer = nullptr,
                     .readers = {}};
    std::error_code ignored;  // opening the file tells what is wrong with its folder
    if (const auto folder = std::filesystem::path(options.path).parent_path(); !folder.empty()) {
        std::filesystem::create_directories(folder, ignored);
    }
    ConnectionOptions connection{.path = options.path,
                                 .read_only = false,
                                 .busy_timeout = options.busy_timeout,
                                 .max_pages = options.max_pages,
                                 .durable = !temporary};
    Result<std::unique_ptr<SqliteConnection>> writer = SqliteConnection::open(connection);
    if (!writer) return std::move(writer).error();
    made.writer = *std::move(writer);
    connection.read_only = true;
    for (unsigned i = 0; i < std::max(1U, options.readers); ++i) {
        Result<std::unique_ptr<SqliteConnection>> reader = SqliteConnection::open(connection);
        if (!reader) return std::move(reader).error();
        made.readers.push_back(*std::move(reader));
    }
    return made;
}

Result<> done_or_error(Result<Outcome> outcome) {
    if (!outcome) return std::move(outcome).error();
    if (outcome->violation) return violation_error(*outcome->violation, nullptr);
    return {};
}

class SqliteEngine final : public Engine, public std::enable_shared_from_this<SqliteEngine> {
  public:
    SqliteEngine(Connections connections, const SqliteOptions& options)
        : temporary_(std::move(connections.temporary)),
          timeout_(options.timeout),
          writer_(std::move(connections.writer), {.queue_limit = options.queue_limit,
                                                  .batch_units = options.batch_units,
                                                  .batch_time = options.batch_time}),
          readers_(std::move(connections.readers), options.queue_limit) {}

    Dialect dialect() const override { return Dialect::sqlite; }
    std::size_t max_parameters() const override { return 32'766; }
    EngineStats stats() const override {
        return {.reads = readers_.reads(),
                .units = writer_.units(),
                .commits = writer_.commits(),
                .refused = writer_.refused() + readers_.refused()};
    }

    Task<Result<Outcome>> read(Request request) override {
        const Duration timeout = time_for(request);
        co_return co_await WaitForCall(
            std::move(request), timeout,
            [this](std::shared_ptr<Call> call) { return readers_.submit(std::move(call)); });
    }
    Task<Result<Outcome>> write(Request request) override {
        co_return co_await call(Kind::unit, 0, std::move(request));
    }
    TxId new_tx() override { return next_tx_.fetch_add(1, std::memory_order_relaxed); }
    Task<Result<>> begin(TxId tx) override {
        co_return done_or_error(co_await call(Kind::begin, tx, {}));
    }
    Task<Result<Outcome>> run(TxId tx, Request request) override {
        co_return co_await call(Kind::operation, tx, std::move(request));
    }
    Task<Result<>> commit(TxId tx) override {
        co_return done_or_error(co_await call(Kind::commit, tx, {}));
    }
    void abandon(TxId tx) noexcept override {
        (void)writer_.submit({.kind = Kind::abandon, .tx = tx, .call = nullptr});
    }
    void run_later(TxId tx, Statement statement) noexcept override {
        (void)writer_.submit(
            {.kind = Kind::later, .tx = tx, .call = nullptr, .statement = std::move(statement)});
    }
    Task<> close() override {
        // The job outlives a caller that is cancelled.
        co_await offload([self = shared_from_this()] {
            self->readers_.close();
            self->writer_.close();
        });
    }

  private:
    using Kind = SqliteWriter::Kind;

    Duration time_for(const Request& request) const {
        return request.timeout > Duration::zero() ? request.timeout : timeout_;
    }
    WaitForCall call(Kind kind, TxId tx, Request request) {
        const Duration timeout = time_for(request);
        return WaitForCall(
            std::move(request), timeout, [this, kind, tx](std::shared_ptr<Call> call) {
                return writer_.submit({.kind = kind, .tx = tx, .call = std::move(call)});
            });
    }

    TemporaryFile temporary_;  // destroyed last, when nobody has the file open
    Duration timeout_;
    std::atomic<TxId> next_tx_{1};
    SqliteWriter writer_;
    SqliteReaders readers_;
};

}  // namespace
}  // namespace data

Task<Result<Repo>> open_sqlite(SqliteOptions options) {
    Result<data::Connections> connections =
        co_await offload([options] { return data::connect(options); });
    if (!connections) co_return std::move(connections).error();
    co_return Repo(std::make_shared<data::SqliteEngine>(*std::move(connections), options));
}

}  // namespace bennu
