#include "bennu/runtime/table/table_base.hpp"

#include <unordered_map>

#include "bennu/runtime/shard.hpp"

namespace bennu::detail {

namespace {

/// The named tables. A table with a name lives until it is closed, whoever holds a handle.
struct Directory {
    std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<TableBase>> tables;
};
Directory& directory() {
    static auto* directory = new Directory;  // tables may be closed while statics are destroyed
    return *directory;
}

constexpr std::size_t swept_per_turn = 4096;

}  // namespace

TableBase::TableBase(TableOptions options, const char* type)
    : options_(std::move(options)), type_(type) {}

TableBase::~TableBase() {
    release_owner();
}

Result<> TableBase::begin() {
    if (!options_.name.empty()) {
        Directory& all = directory();
        std::lock_guard lock(all.mutex);
        if (!all.tables.try_emplace(options_.name, shared_from_this()).second)
            return Error(ErrorKind::conflict, "name_taken",
                         "a table with the name \"" + options_.name + "\" exists already");
    }
    Shard* shard = Shard::current();
    if (shard && shard->running()) arrive(shard->running(), {}, nullptr);
    return {};
}

Result<std::shared_ptr<TableBase>> TableBase::find(std::string_view name, const char* type) {
    Directory& all = directory();
    std::lock_guard lock(all.mutex);
    auto found = all.tables.find(std::string(name));
    if (found == all.tables.end())
        return Error(ErrorKind::not_found, "no_table",
                     "there is no table with the name \"" + std::string(name) + "\"");
    if (std::string_view(found->second->type()) != type)
        return Error(ErrorKind::conflict, "other_type",
                     "the table \"" + std::string(name) + "\" is a " + found->second->type() +
                         ", not a " + type);
    return found->second;
}

Pid TableBase::owner() const {
    std::lock_guard lock(life_);
    return owner_;
}

void TableBase::set_heir(Pid heir, Tell tell) {
    std::lock_guard lock(life_);
    heir_ = heir;
    tell_heir_ = std::move(tell);
}

/// A table on its way to a new owner's shard. If it never arrives, because the runtime ends, it
/// closes.
class TableBase::Passage {
  public:
    Passage(std::shared_ptr<TableBase> table, Pid to, Pid from, Tell tell)
        : table_(std::move(table)), to_(to), from_(from), tell_(std::move(tell)) {}
    Passage(Passage&&) noexcept = default;
    Passage& operator=(Passage&&) = delete;
    ~Passage() {
        if (table_) table_->close();
    }
    void operator()() { std::exchange(table_, nullptr)->arrive(to_, from_, std::move(tell_)); }

  private:
    std::shared_ptr<TableBase> table_;
    Pid to_;
    Pid from_;
    Tell tell_;
};

void TableBase::give_to(Pid process, Tell tell) {
    Pid from = owner();
    release_owner();
    Passage passage(shared_from_this(), process, from, std::move(tell));
    Shard* shard = Shard::current();
    if (!shard || process.shard() == shard->index()) {
        passage();
    } else {
        shard->post(process.shard(), std::move(passage));
    }
}

/// Tells the table of its owner's end, and keeps neither alive.
struct TableBase::OwnerEnds final : ExitHook {
    explicit OwnerEnds(std::weak_ptr<TableBase> t) : table(std::move(t)) {}
    void process_ended(Pid owner) override {
        if (auto alive = table.lock()) alive->owner_ended(owner);
    }
    std::weak_ptr<TableBase> table;
};

void TableBase::arrive(Pid process, Pid from, Tell tell) {
    Shard* shard = Shard::current();
    auto hook = std::make_shared<OwnerEnds>(weak_from_this());
    if (!shard || !shard->add_exit_hook(process, hook)) {
        close();
        return;
    }
    {
        std::lock_guard lock(life_);
        owner_ = process;
        owner_hook_ = std::move(hook);
        if (heir_ == process) heir_ = {};
    }
    if (tell) tell(TableInherited{options_.name, from});
}

void TableBase::owner_ended(Pid owner) {
    Pid heir;
    Tell tell;
    {
        std::lock_guard lock(life_);
        if (owner_ != owner) return;
        owner_hook_.reset();
        heir = std::exchange(heir_, {});
        tell = std::move(tell_heir_);
    }
    if (heir && heir != owner) {
        give_to(heir, std::move(tell));
    } else {
        close();
    }
}

/// The owner's end means nothing to the table any more.
void TableBase::release_owner() {
    Pid owner;
    std::shared_ptr<OwnerEnds> hook;
    {
        std::lock_guard lock(life_);
        owner = std::exchange(owner_, {});
        hook = std::exchange(owner_hook_, nullptr);
    }
    Shard* shard = Shard::current();
    if (!hook || !shard) return;
    if (owner.shard() == shard->index()) {
        shard->remove_exit_hook(owner, hook.get());
    } else {
        shard->post(owner.shard(),
                    [owner, hook] { Shard::current()->remove_exit_hook(owner, hook.get()); });
    }
}

void TableBase::leave_directory() {
    if (options_.name.empty()) return;
    Directory& all = directory();
    std::shared_ptr<TableBase> kept;  // destroyed after the lock
    std::lock_guard lock(all.mutex);
    auto found = all.tables.find(options_.name);
    if (found != all.tables.end() && found->second.get() == this) {
        kept = std::move(found->second);
        all.tables.erase(found);
    }
}

void TableBase::close() {
    if (closed_.exchange(true, std::memory_order_acq_rel)) return;
    auto kept = shared_from_this();
    leave_directory();
    release_owner();
    close_store();
}

void TableBase::start_sweeper() {
    // Beside the shards there is nothing that could run one: the next put on a shard starts it.
    if (!Shard::current() || options_.sweep_every <= Duration::zero()) return;
    if (sweeping_.exchange(true, std::memory_order_acq_rel)) return;
    spawn_task([table = weak_from_this(),
                every = options_.sweep_every] [[clang::coro_wrapper]] () -> Task<> {
        return sweep(table, every);
    });
}

Task<> TableBase::sweep(std::weak_ptr<TableBase> weak, Duration every) {
    // The end of the sweeper, however it comes, lets the next put start another.
    struct Stopped {
        std::weak_ptr<TableBase> table;
        bool due = true;
        ~Stopped() {
            if (auto alive = due ? table.lock() : nullptr) alive->sweeping_ = false;
        }
    } stopped{weak};
    bool last_look = false;
    while (true) {
        if (!last_look) co_await sleep(every);
        TableSweep at;
        for (bool more = true; more;) {
            {
                auto table = weak.lock();
                if (!table || table->closed()) co_return;
                more = table->sweep_some(at, swept_per_turn);
            }
            if (more) co_await sleep(Duration::zero());
        }
        auto table = weak.lock();
        if (!table) co_return;
        if (last_look) {
            if (!at.saw_expiring || table->sweeping_.exchange(true, std::memory_order_seq_cst))
                co_return;
            stopped.due = true;
            last_look = false;
        } else if (!at.saw_expiring) {
            // Nothing is left to expire. A put that saw the flag just before it falls is found by
            // one more look.
            stopped.due = false;
            table->sweeping_.store(false, std::memory_order_seq_cst);
            last_look = true;
        }
    }
}

}  // namespace bennu::detail
