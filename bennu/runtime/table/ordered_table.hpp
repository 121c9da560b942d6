#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "bennu/runtime/table/ordered_store.hpp"
#include "bennu/runtime/table/secondary_index.hpp"
#include "bennu/runtime/table/snapshot.hpp"
#include "bennu/runtime/table/table_base.hpp"

namespace bennu {

/// A `Table` whose entries stand in the order of their keys (`<`): ranges, pages, first and last.
/// Handles, ownership, expiry, atomicity and the rules for callbacks are those of `Table`. Reads
/// and walks take no lock; writers take turns (one lock a table, O(log n)).
template <typename Key, typename Value>
class OrderedTable {
    using Lookup = detail::LookupKey<Key>;

  public:
    using Entry = std::pair<Key, Value>;
    /// A part of a walk. `next` is what to pass to `page` for the part that follows; nothing at the
    /// end.
    struct Page {
        std::vector<Entry> entries;
        std::optional<Key> next;
    };

    explicit OrderedTable(TableOptions options = {})
        : OrderedTable(make(std::move(options)).value()) {}
    static Result<OrderedTable> make(TableOptions options) {
        auto state = std::make_shared<State>(std::move(options));
        Result<> begun = state->begin();
        if (!begun) return std::move(begun).error();
        return OrderedTable(std::move(state));
    }
    static Result<OrderedTable> open(std::string_view name) {
        auto found = detail::TableBase::find(name, State::type_name());
        if (!found) return std::move(found).error();
        return OrderedTable(std::static_pointer_cast<State>(*std::move(found)));
    }

    std::optional<Value> get(Lookup key) const {
        std::optional<Value> value;
        store().read(key, [&](const Value& v, std::int64_t) { value.emplace(v); });
        return value;
    }
    bool contains(Lookup key) const {
        return store().read(key, [](const Value&, std::int64_t) {});
    }
    template <typename F>
    bool read(Lookup key, F&& use) const {
        return store().read(key, [&](const Value& v, std::int64_t) { use(v); });
    }
    std::optional<Duration> ttl(Lookup key) const {
        std::optional<Duration> left;
        store().read(key, [&](const Value&, std::int64_t expires) {
            left = expires == 0 ? Duration::max() : Instant{expires} - detail::table_now();
        });
        return left;
    }

    Stored put(Key key, Value value, PutOptions options = {}) {
        return put(std::move(key), std::move(value), options, false);
    }
    bool insert_new(Key key, Value value, PutOptions options = {}) {
        return put(std::move(key), std::move(value), options, true) == Stored::inserted;
    }
    template <typename F>
    bool update(Lookup key, F&& change) {
        return store().update(key, change);
    }
    template <typename F>
    Stored compute(Key key, F&& change, PutOptions options = {}) {
        std::int64_t expires = expiry(options);
        Stored stored = store().compute(std::move(key), expires, change);
        if (expires != 0) state_->expiring();
        return stored;
    }
    Value update_counter(Lookup key, Value by, Value initial = {})
        requires std::is_integral_v<Value>
    {
        std::int64_t expires = expiry({});
        Value sum = store().add(key, by, initial, expires);
        if (expires != 0) state_->expiring();
        return sum;
    }
    bool expire(Lookup key, Duration ttl) {
        bool there = store().set_expiry(key, detail::expiry_of(ttl));
        if (ttl > Duration::zero()) state_->expiring();
        return there;
    }
    std::optional<Value> take(Lookup key) {
        std::optional<Value> value;
        store().take(key, [&](const Value& v) { value.emplace(v); });
        return value;
    }
    bool erase(Lookup key) {
        return store().take(key, [](const Value&) {});
    }
    template <typename F>
    std::size_t erase_if(F&& matches) {
        return store().erase_if(
            [&](const Key& k, const Value& v, std::int64_t) { return matches(k, v); });
    }
    void clear() { store().clear(); }
    std::size_t size() const { return store().size(); }

    std::optional<Entry> first() const { return front(range_from({}, 1)); }
    std::optional<Entry> last() const {
        return last_before([](const Key&) { return true; });
    }
    /// The first entry whose key is not less than this one, or greater.
    std::optional<Entry> at_or_after(Lookup key) const {
        return front(walk([&](const Key& k) { return k < key; }, 1, accept_all));
    }
    std::optional<Entry> after(Lookup key) const {
        return front(walk([&](const Key& k) { return !(key < k); }, 1, accept_all));
    }
    std::optional<Entry> before(Lookup key) const {
        return last_before([&](const Key& k) { return k < key; });
    }
    /// The entries with `from <= key < to`, in order, at most `limit`.
    std::vector<Entry> range(Lookup from, Lookup to, std::size_t limit = SIZE_MAX) const {
        return walk([&](const Key& k) { return k < from; }, limit,
                    [&](const Key& k, const Value&) { return k < to ? take_it : stop_here; });
    }
    /// The next `limit` entries from `start` on (nothing: from the first). What is written between
    /// two pages shows if it lies ahead; no entry that stays is skipped or comes twice.
    Page page(std::optional<Key> start, std::size_t limit) const {
        Page page{range_from(start, limit == SIZE_MAX ? limit : limit + 1), {}};
        if (page.entries.size() > limit) {
            page.next = page.entries.back().first;
            page.entries.pop_back();
        }
        return page;
    }
    /// `use(const Key&, const Value&)` for every entry, in order.
    template <typename F>
    void for_each(F&& use) const {
        store().for_each([&](const Key& k, const Value& v, std::int64_t) {
            use(k, v);
            return true;
        });
    }
    template <typename F>
    std::vector<Entry> select(F&& matches, std::size_t limit = SIZE_MAX) const {
        return walk(
            [](const Key&) { return false; }, limit,
            [&](const Key& k, const Value& v) { return matches(k, v) ? take_it : skip_it; });
    }

    template <typename F>
    auto add_index(F field) {
        using Field = std::decay_t<std::invoke_result_t<F&, const Value&>>;
        if (size() > 0) throw std::logic_error("an index is declared before the first entry");
        auto index = std::make_shared<detail::IndexStore<Key, Value, Field>>(std::move(field));
        store().add_hook(index);
        return SecondaryIndex<OrderedTable, Field>(*this, std::move(index));
    }
    Result<std::size_t> save(const std::string& path) const {
        return detail::save_store<Key, Value>(store(), state_->options(), path);
    }
    Result<std::size_t> load(const std::string& path) {
        return detail::load_store<Key, Value>(store(), *state_, path);
    }

    const std::string& name() const { return state_->options().name; }
    Pid owner() const { return state_->owner(); }
    bool closed() const { return state_->closed(); }
    template <typename S>
    void set_heir(Ref<S> heir) {
        state_->set_heir(heir.pid(), detail::tell_server(heir));
    }
    void set_heir(Pid heir) { state_->set_heir(heir, nullptr); }
    template <typename S>
    void give_to(Ref<S> process) {
        state_->give_to(process.pid(), detail::tell_server(process));
    }
    void close() { state_->close(); }

  private:
    struct State final : detail::TableBase {
        explicit State(TableOptions options)
            : TableBase(check(std::move(options)), type_name()), store(this->options()) {}
        static TableOptions check(TableOptions options) {
            if (options.eviction == Eviction::least_recently_used)
                throw std::logic_error("an OrderedTable evicts by key, not by use");
            return options;
        }
        static const char* type_name() { return detail::type_name_of<OrderedTable>(); }
        void close_store() override { store.close(); }
        bool sweep_some(detail::TableSweep& at, std::size_t budget) override {
            return store.sweep(at, budget);
        }
        detail::OrderedStore<Key, Value> store;
    };
    enum Step : std::uint8_t { take_it, skip_it, stop_here };
    static Step accept_all(const Key&, const Value&) { return take_it; }

    explicit OrderedTable(std::shared_ptr<State> state) : state_(std::move(state)) {}
    detail::OrderedStore<Key, Value>& store() const { return state_->store; }
    std::int64_t expiry(const PutOptions& options) const {
        return detail::expiry_of(options.ttl > Duration::zero() ? options.ttl
                                                                : state_->options().default_ttl);
    }
    Stored put(Key key, Value value, const PutOptions& options, bool only_new) {
        std::int64_t expires = expiry(options);
        Stored stored = store().put(std::move(key), std::move(value), expires, only_new);
        if (expires != 0) state_->expiring();
        return stored;
    }
    template <typename B, typename F>
    std::vector<Entry> walk(B&& before, std::size_t limit, F&& choose) const {
        std::vector<Entry> found;
        if (limit == 0) return found;
        store().scan(before, [&](const Key& k, const Value& v, std::int64_t) {
            Step step = choose(k, v);
            if (step == take_it) found.emplace_back(k, v);
            return step != stop_here && found.size() < limit;
        });
        return found;
    }
    std::vector<Entry> range_from(const std::optional<Key>& start, std::size_t limit) const {
        return walk([&](const Key& k) { return start && k < *start; }, limit, accept_all);
    }
    static std::optional<Entry> front(std::vector<Entry> entries) {
        if (entries.empty()) return std::nullopt;
        return std::move(entries.front());
    }
    template <typename B>
    std::optional<Entry> last_before(B&& before) const {
        std::optional<Entry> found;
        store().last_before(before, [&](const Key& k, const Value& v) { found.emplace(k, v); });
        return found;
    }

    std::shared_ptr<State> state_;
};

}  // namespace bennu
