#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bennu/data/statement.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu::data {

/// A `std::vector<T>` that rows are decoded into, away from the shard, without knowing T. Columns
/// are matched to fields by name; a column that the record lacks is an error.
class RowBuffer {
  public:
    RowBuffer() = default;
    template <Record T>
    static RowBuffer of() {
        RowBuffer made;
        made.record_ = &record_of<T>();
        made.container_ = ops_of<std::vector<T>>.container;
        made.vector_ = {new std::vector<T>(),
                        [](void* vector) { delete static_cast<std::vector<T>*>(vector); }};
        return made;
    }
    template <Record T>
    std::vector<T> take() {
        return std::move(*static_cast<std::vector<T>*>(vector_.get()));
    }

    explicit operator bool() const { return vector_ != nullptr; }
    const RecordInfo& record() const { return *record_; }
    /// Appends a default-constructed record.
    void* add() { return container_->emplace(vector_.get()); }
    /// The first record; there must be one.
    const void* first() const { return container_->at(vector_.get(), 0); }
    std::size_t size() const { return vector_ ? container_->size(vector_.get()) : 0; }

  private:
    const RecordInfo* record_ = nullptr;
    const ContainerOps* container_ = nullptr;
    std::unique_ptr<void, void (*)(void*)> vector_{nullptr, [](void*) {}};
};

/// A constraint that a statement broke: what the database said, before a schema explains it.
struct Violation {
    enum class Kind : std::uint8_t { unique, foreign_key, check, not_null, other };

    Kind kind = Kind::other;
    std::string constraint;            ///< its name, where the engine tells
    std::vector<std::string> columns;  ///< where the engine tells
    std::string message;               ///< the engine's own words
};

/// Statements that succeed or fail as one unit.
struct Request {
    std::vector<Statement> statements;
    RowBuffer rows;  ///< takes the rows of all of them
    /// A statement that breaks a constraint is undone and reported, the others stand.
    bool each = false;
    Duration timeout{};  ///< zero: the engine's default
};

struct Outcome {
    RowBuffer rows;
    std::int64_t changes = 0;  ///< rows inserted, updated or deleted
    /// Why the unit was undone.
    std::optional<Violation> violation;
    /// With `each`: one entry per statement.
    std::vector<std::optional<Violation>> violations;
};

using TxId = std::uint64_t;

/// Counters since the start, for tests and the dashboard.
struct EngineStats {
    std::uint64_t reads = 0;
    std::uint64_t units = 0;    ///< writes and transactions that were committed
    std::uint64_t commits = 0;  ///< of the storage: what reached the disk
    std::uint64_t refused = 0;  ///< queue was full
};

/// A database. Safe to use from every shard; calls suspend and never block a shard. Cancelling a
/// call that has not begun removes it; one that has begun runs to its end.
class Engine {
  public:
    virtual ~Engine() = default;
    virtual Dialect dialect() const = 0;
    virtual std::size_t max_parameters() const = 0;
    virtual EngineStats stats() const = 0;

    /// Outside of a transaction; sees everything that was acknowledged before.
    virtual Task<Result<Outcome>> read(Request request) = 0;
    /// One unit of its own. Returns once it is durable.
    virtual Task<Result<Outcome>> write(Request request) = 0;

    /// Opens a transaction under an id from `new_tx`.
    virtual TxId new_tx() = 0;
    virtual Task<Result<>> begin(TxId tx) = 0;
    virtual Task<Result<Outcome>> run(TxId tx, Request request) = 0;
    /// Returns once it is durable.
    virtual Task<Result<>> commit(TxId tx) = 0;
    /// Undoes a transaction, or the request for one; harmless when it is over. Does not wait.
    virtual void abandon(TxId tx) noexcept = 0;
    /// Runs a statement in a transaction without waiting (undoing a savepoint).
    virtual void run_later(TxId tx, Statement statement) noexcept = 0;

    /// Refuses new work, interrupts what runs, closes files.
    virtual Task<> close() = 0;
};

/// The error that a violation is, in terms of the schema's fields; a reference that is to blame
/// cannot be told here (see Repo).
Error violation_error(const Violation& violation, const Schema* schema);

}  // namespace bennu::data
