#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "bennu/runtime/table/secondary_index.hpp"
#include "bennu/runtime/table/snapshot.hpp"
#include "bennu/runtime/table/table_base.hpp"

namespace bennu::detail {

/// What `Table` and `OrderedTable` have in common: everything but the order. `Self` is the handle
/// that derives from this, `Store` what holds the entries. The rules of `Table` hold.
template <typename Self, typename Key, typename Value, typename Store>
class TableHandle {
    using Lookup = LookupKey<Key>;

  public:
    using Entry = std::pair<Key, Value>;

    /// A table without a name; a name that is taken is a fault.
    explicit TableHandle(TableOptions options = {}) : state_(begin(std::move(options)).value()) {}
    /// Error `conflict` when a table has the name already.
    static Result<Self> make(TableOptions options) {
        auto state = begin(std::move(options));
        if (!state) return std::move(state).error();
        return Self(*std::move(state));
    }
    /// The table of this name. Errors `not_found`; `conflict` when its types are others.
    static Result<Self> open(std::string_view name) {
        auto found = TableBase::find(name, State::type_name());
        if (!found) return std::move(found).error();
        return Self(std::static_pointer_cast<State>(*std::move(found)));
    }

    std::optional<Value> get(Lookup key) const {
        std::optional<Value> value;
        store().read(key, [&](const Value& v, std::int64_t) { value.emplace(v); });
        return value;
    }
    bool contains(Lookup key) const {
        return store().read(key, [](const Value&, std::int64_t) {});
    }
    /// Calls `use(const Value&)` without copying a record; false when the key is not there. The
    /// reference ends with the call. May use the table.
    template <typename F>
    bool read(Lookup key, F&& use) const {
        return store().read(key, [&](const Value& v, std::int64_t) { use(v); });
    }
    /// How long the entry has to live; nothing when it is not there, `Duration::max()`: for ever.
    std::optional<Duration> ttl(Lookup key) const {
        std::optional<Duration> left;
        store().read(key, [&](const Value&, std::int64_t expires) {
            left = expires == 0 ? Duration::max() : Instant{expires} - table_now();
        });
        return left;
    }

    /// Adds or replaces; `full` only when the table is bounded and rejects.
    Stored put(Key key, Value value, PutOptions options = {}) {
        return put(std::move(key), std::move(value), options, false);
    }
    /// Adds unless the key is there: of several callers at once, exactly one inserts.
    bool insert_new(Key key, Value value, PutOptions options = {}) {
        return put(std::move(key), std::move(value), options, true) == Stored::inserted;
    }
    /// Changes the entry with `change(Value&)`, atomically; when that returns bool, false leaves
    /// the entry as it was. False when the key is not there or nothing changed. Keeps the TTL.
    template <typename F>
    bool update(Lookup key, F&& change) {
        return store().update(key, change);
    }
    /// `change(std::optional<Value>&)` gets what is there, or nothing, and leaves what shall be
    /// there, or nothing. Sets the TTL anew.
    template <typename F>
    Stored compute(Key key, F&& change, PutOptions options = {}) {
        std::int64_t expires = expiry(options);
        Stored stored = store().compute(std::move(key), expires, change);
        if (expires != 0) state_->expiring();
        return stored;
    }
    /// Adds `by` and returns the sum; an absent entry counts as `initial`. Wraps around. When the
    /// table is full and rejects, nothing is stored and `initial` is returned.
    Value update_counter(Lookup key, Value by, Value initial = {})
        requires std::is_integral_v<Value>
    {
        std::int64_t expires = expiry({});
        Value sum = store().add(key, by, initial, expires);
        if (expires != 0) state_->expiring();
        return sum;
    }
    /// Sets the remaining life of an entry; zero: for ever. False when it is not there.
    bool expire(Lookup key, Duration ttl) {
        bool there = store().set_expiry(key, expiry_of(ttl));
        if (ttl > Duration::zero()) state_->expiring();
        return there;
    }
    /// Removes the entry and returns what it was: of several callers at once, one gets it.
    std::optional<Value> take(Lookup key) {
        std::optional<Value> value;
        store().take(key, [&](const Value& v) { value.emplace(v); });
        return value;
    }
    bool erase(Lookup key) {
        return store().take(key, [](const Value&) {});
    }
    /// Removes what `matches(const Key&, const Value&)`; returns how many.
    template <typename F>
    std::size_t erase_if(F&& matches) {
        return store().erase_if(
            [&](const Key& k, const Value& v, std::int64_t) { return matches(k, v); });
    }
    void clear() { store().clear(); }

    /// Entries, expired ones included until they are swept. Exact when nobody writes.
    std::size_t size() const { return store().size(); }
    /// `use(const Key&, const Value&)` for every entry.
    template <typename F>
    void for_each(F&& use) const {
        store().for_each([&](const Key& k, const Value& v, std::int64_t) {
            use(k, v);
            return true;
        });
    }
    /// The entries that match, at most `limit`.
    template <typename F>
    std::vector<Entry> select(F&& matches, std::size_t limit = SIZE_MAX) const {
        std::vector<Entry> found;
        if (limit == 0) return found;
        store().for_each([&](const Key& k, const Value& v, std::int64_t) {
            if (matches(k, v)) found.emplace_back(k, v);
            return found.size() < limit;
        });
        return found;
    }
    template <typename F>
    std::size_t count_if(F&& matches) const {
        std::size_t count = 0;
        for_each([&](const Key& k, const Value& v) { count += matches(k, v) ? 1 : 0; });
        return count;
    }

    /// A secondary index: finds entries by `field(const Value&)`. Declared before the first entry
    /// (a fault otherwise); the handle that comes back does the look-ups.
    template <typename F>
    auto add_index(F field) {
        using Field = std::decay_t<std::invoke_result_t<F&, const Value&>>;
        if (size() > 0) throw std::logic_error("an index is declared before the first entry");
        auto index = std::make_shared<IndexStore<Key, Value, Field>>(std::move(field));
        store().add_hook(index);
        return SecondaryIndex<Self, Field>(static_cast<const Self&>(*this), std::move(index));
    }

    /// Writes all entries to a file: a temporary beside it, checksummed and synced, then renamed.
    /// Blocks: `co_await offload([table] { return table.save(path); })`. Returns how many.
    Result<std::size_t> save(const std::string& path) const {
        return save_store<Key, Value>(store(), state_->options(), path);
    }
    /// Puts the entries of a snapshot into the table, in place of what their keys hold; those that
    /// expired meanwhile are left out. Nothing is put when the file is damaged or of another
    /// version. Errors `io`, `invalid`, `unsupported`.
    Result<std::size_t> load(const std::string& path) {
        return load_store<Key, Value>(store(), *state_, path);
    }

    const std::string& name() const { return state_->options().name; }
    /// Nobody when the table was made beside the shards or is on its way to its heir.
    Pid owner() const { return state_->owner(); }
    bool closed() const { return state_->closed(); }
    /// Who gets the table when its owner ends. Servers that handle TableInherited are told.
    template <typename S>
    void set_heir(Ref<S> heir) {
        state_->set_heir(heir.pid(), tell_server(heir));
    }
    void set_heir(Pid heir) { state_->set_heir(heir, nullptr); }
    /// Makes another process the owner now.
    template <typename S>
    void give_to(Ref<S> process) {
        state_->give_to(process.pid(), tell_server(process));
    }
    void close() { state_->close(); }

  protected:
    struct State final : TableBase {
        explicit State(TableOptions options)
            : TableBase(std::move(options), type_name()), store(this->options()) {}
        static const char* type_name() { return type_name_of<Self>(); }
        void close_store() override { store.close(); }
        bool sweep_some(TableSweep& at, std::size_t budget) override {
            return store.sweep(at, budget);
        }
        Store store;
    };

    explicit TableHandle(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Store& store() const { return state_->store; }

  private:
    static Result<std::shared_ptr<State>> begin(TableOptions options) {
        auto state = std::make_shared<State>(std::move(options));
        Result<> begun = state->begin();
        if (!begun) return std::move(begun).error();
        return state;
    }
    std::int64_t expiry(const PutOptions& options) const {
        return expiry_of(options.ttl > Duration::zero() ? options.ttl
                                                        : state_->options().default_ttl);
    }
    Stored put(Key key, Value value, const PutOptions& options, bool only_new) {
        std::int64_t expires = expiry(options);
        Stored stored = store().put(std::move(key), std::move(value), expires, only_new);
        if (expires != 0) state_->expiring();
        return stored;
    }

    std::shared_ptr<State> state_;
};

}  // namespace bennu::detail
