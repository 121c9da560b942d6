#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "bennu/base/function.hpp"
#include "bennu/base/result.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/table/table_options.hpp"

namespace bennu {

/// Tells an heir that a table is now its own. Delivered only to servers that handle it.
struct TableInherited {
    std::string table;
    Pid from;  ///< who owned it
};

namespace detail {

/// The life of a table, whatever it holds: its name, its owner and heir, its sweeper.
class TableBase : public std::enable_shared_from_this<TableBase> {
  public:
    TableBase(TableOptions options, const char* type);
    virtual ~TableBase();
    TableBase(const TableBase&) = delete;
    TableBase& operator=(const TableBase&) = delete;

    /// Registers the name and ties the table to the running process. Error `conflict`.
    Result<> begin();
    const TableOptions& options() const { return options_; }
    const char* type() const { return type_; }
    Pid owner() const;
    bool closed() const { return closed_.load(std::memory_order_acquire); }

    using Tell = Function<void(TableInherited)>;
    void set_heir(Pid heir, Tell tell);
    /// Makes another process the owner; the table closes if that is gone by then.
    void give_to(Pid process, Tell tell);
    void close();

    /// An entry that expires was put: sees to it that a sweeper runs.
    void expiring() {
        if (!sweeping_.load(std::memory_order_relaxed)) start_sweeper();
    }
    /// The table of this name and type. Errors `not_found`; `conflict`: another type has the name.
    static Result<std::shared_ptr<TableBase>> find(std::string_view name, const char* type);

  protected:
    virtual void close_store() = 0;
    /// Looks at up to so many entries for expired ones; false when it has been through all.
    virtual bool sweep_some(TableSweep& at, std::size_t budget) = 0;
    void leave_directory();

  private:
    class Passage;
    struct OwnerEnds;
    void start_sweeper();
    static Task<> sweep(std::weak_ptr<TableBase> table, Duration every);
    void owner_ended(Pid owner);
    void arrive(Pid process, Pid from, Tell tell);
    void release_owner();

    const TableOptions options_;
    const char* const type_;
    std::atomic<bool> closed_{false};
    std::atomic<bool> sweeping_{false};
    mutable std::mutex life_;  // of what follows
    Pid owner_;
    std::shared_ptr<OwnerEnds> owner_hook_;
    Pid heir_;
    Tell tell_heir_;
};

/// Delivers TableInherited to servers that handle it.
template <typename S>
TableBase::Tell tell_server(Ref<S> server) {
    if constexpr (requires(S& s, TableInherited m) { s.handle(std::move(m)); }) {
        return [server](TableInherited message) { cast(server, std::move(message)); };
    } else {
        return nullptr;
    }
}

}  // namespace detail

}  // namespace bennu
