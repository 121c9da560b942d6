#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "bennu/runtime/table/skip_list.hpp"
#include "bennu/runtime/table/spin_lock.hpp"
#include "bennu/runtime/table/table_hash.hpp"
#include "bennu/runtime/table/table_index.hpp"
#include "bennu/runtime/table/table_options.hpp"

namespace bennu::detail {

/// The sorted table under `OrderedTable` and under secondary indexes. Readers take no lock; writers
/// take turns. Callbacks of writers run under their lock and must not use the same table.
template <typename Key, typename Value>
class OrderedStore {
    using List = SkipList<Key, Value>;
    using Node = typename List::Node;
    using Place = typename List::Place;
    using Record = typename List::Record;
    using Lock = std::unique_lock<SpinLock>;

  public:
    explicit OrderedStore(const TableOptions& options = {})
        : max_entries_(options.max_entries), eviction_(options.eviction) {
        if (eviction_ == Eviction::least_recently_used)
            throw std::logic_error("an OrderedTable evicts by key, not by use");
    }

    void add_hook(std::shared_ptr<IndexHook<Key, Value>> hook) { hooks_.push_back(hook); }

    template <typename K, typename F>
    bool read(const K& key, F&& use) {
        ReadGuard guard;
        Node* node = list_.seek([&](const Key& k) { return k < key; });
        if (!node || key < node->key) return false;
        const Record* record = node->record.load(std::memory_order_acquire);
        if (expired(record->expires)) return false;
        use(record->value, record->expires);
        return true;
    }

    Stored put(Key key, Value value, std::int64_t expires, bool only_new) {
        Stored stored = write(key, [&](Place& place, bool there) {
            bool live = there && !dead(*place.node);
            if (live && only_new) return Stored::exists;
            if (!there) return insert(place, std::move(key), std::move(value), expires);
            replace(*place.node, std::move(value), expires);
            return live ? Stored::replaced : Stored::inserted;
        });
        return stored;
    }
    template <typename K, typename F>
    bool update(const K& key, F&& change) {
        return write(key, [&](Place& place, bool there) {
            if (!there || dead(*place.node)) return false;
            Record* record = place.node->record.load(std::memory_order_relaxed);
            Value value = record->value;
            if constexpr (std::is_same_v<std::invoke_result_t<F&, Value&>, bool>) {
                if (!change(value)) return false;
            } else {
                change(value);
            }
            replace(*place.node, std::move(value), record->expires);
            return true;
        });
    }
    template <typename F>
    Stored compute(Key key, std::int64_t expires, F&& change) {
        return write(key, [&](Place& place, bool there) {
            std::optional<Value> value;
            bool live = there && !dead(*place.node);
            if (live) value = place.node->record.load(std::memory_order_relaxed)->value;
            change(value);
            if (!value) {
                if (there) remove(place);
                return Stored::exists;
            }
            if (!there) return insert(place, std::move(key), std::move(*value), expires);
            replace(*place.node, std::move(*value), expires);
            return live ? Stored::replaced : Stored::inserted;
        });
    }
    template <typename K, typename F>
    bool take(const K& key, F&& use) {
        return write(key, [&](Place& place, bool there) {
            if (!there) return false;
            bool live = !dead(*place.node);
            if (live) use(place.node->record.load(std::memory_order_relaxed)->value);
            remove(place);
            return live;
        });
    }
    template <typename K>
    Value add(const K& key, Value by, Value initial, std::int64_t expires) {
        using Unsigned = std::make_unsigned_t<Value>;
        auto sum = [by](Value value) {
            return static_cast<Value>(static_cast<Unsigned>(value) + static_cast<Unsigned>(by));
        };
        return write(key, [&](Place& place, bool there) {
            if (!there) {
                Stored stored = insert(place, Key(key), sum(initial), expires);
                return stored == Stored::full ? initial : sum(initial);
            }
            Record* record = place.node->record.load(std::memory_order_relaxed);
            bool live = !dead(*place.node);
            Value value = sum(live ? record->value : initial);
            replace(*place.node, Value(value), live ? record->expires : expires);
            return value;
        });
    }
    template <typename K>
    bool set_expiry(const K& key, std::int64_t expires) {
        return write(key, [&](Place& place, bool there) {
            if (!there || dead(*place.node)) return false;
            Record* record = place.node->record.load(std::memory_order_relaxed);
            List::replace(*place.node, new Record{record->value, expires});
            return true;
        });
    }

    /// `use(const Key&, const Value&, expires)` in order, from the first key for which `before` is
    /// false, until it returns false. No lock is held.
    template <typename B, typename F>
    void scan(B&& before, F&& use) {
        std::optional<Key> last;
        bool go_on = true;
        while (go_on) {
            // A long walk stops now and then, so that what was erased meanwhile can be freed.
            ReadGuard guard;
            Node* node =
                last ? list_.seek([&](const Key& k) { return !(*last < k); }) : list_.seek(before);
            for (std::size_t steps = 0;; ++steps, node = node->next()) {
                if (!node) return;
                const Record* record = node->record.load(std::memory_order_acquire);
                if (!expired(record->expires)) {
                    go_on = use(node->key, record->value, record->expires);
                    if (!go_on) return;
                }
                if (steps == 1024) {
                    last.emplace(node->key);
                    break;
                }
            }
        }
    }
    template <typename F>
    void for_each(F&& use) {
        scan([](const Key&) { return false; }, use);
    }
    /// The last entry before which all keys satisfy `before`; false when there is none.
    template <typename B, typename F>
    bool last_before(B&& before, F&& use) {
        ReadGuard guard;
        Node* node = list_.seek_last(before);
        while (node) {
            const Record* record = node->record.load(std::memory_order_acquire);
            if (!expired(record->expires)) {
                use(node->key, record->value);
                return true;
            }
            const Key& key = node->key;
            node = list_.seek_last([&](const Key& k) { return k < key; });
        }
        return false;
    }

    template <typename F>
    std::size_t erase_if(F&& matches) {
        std::size_t erased = 0;
        std::optional<Key> last;
        bool more = true;
        while (more) {
            // The lock is let go of now and then.
            more = sweep_from(last, 1024, [&](const Key& key, const Record& record) {
                bool match = matches(key, record.value, record.expires);
                erased += match && !expired(record.expires) ? 1 : 0;
                return match;
            });
        }
        return erased;
    }
    bool sweep(TableSweep& at, std::size_t budget) {
        if (!at.position) at.position = std::make_shared<std::optional<Key>>();
        auto& last = *static_cast<std::optional<Key>*>(at.position.get());
        return sweep_from(last, budget, [&](const Key&, const Record& record) {
            if (expired(record.expires)) return true;
            at.saw_expiring |= record.expires != 0;
            return false;
        });
    }

    std::size_t size() const { return size_.load(std::memory_order_relaxed); }
    void clear() {
        erase_if([](const Key&, const Value&, std::int64_t) { return true; });
    }
    void close() {
        {
            Lock lock(lock_);
            closed_ = true;
        }
        clear();
    }

  private:
    /// `act(place, there)` under the writers' lock, then frees what it replaced.
    template <typename K, typename F>
    auto write(const K& key, F&& act) {
        auto outcome = [&] {
            ReadGuard guard;
            Lock lock(lock_);
            Place place = list_.place([&](const Key& k) { return k < key; });
            return act(place, place.node && !(key < place.node->key));
        }();
        reclaim_some();
        return outcome;
    }
    static bool dead(Node& node) {
        return expired(node.record.load(std::memory_order_relaxed)->expires);
    }
    Stored insert(Place& place, Key&& key, Value&& value, std::int64_t expires) {
        if (closed_) throw TableClosed();
        bool full = max_entries_ > 0 && size() >= max_entries_;
        if (full && eviction_ == Eviction::reject) return Stored::full;
        // The new one would be the one to go.
        if (full && eviction_ == Eviction::highest_key && !place.node) return Stored::full;
        if (full && eviction_ == Eviction::lowest_key && place.node == list_.first())
            return Stored::full;
        for (auto& hook : hooks_) hook->added(key, value);
        auto record = std::make_unique<Record>(std::move(value), expires);
        list_.insert(place, std::move(key), record.get());
        record.release();
        size_.store(size() + 1, std::memory_order_relaxed);
        if (full) evict();
        return Stored::inserted;
    }
    void evict() {
        if (eviction_ == Eviction::lowest_key) {
            Place place = list_.place([](const Key&) { return false; });
            remove(place);
            return;
        }
        Node* last = list_.seek_last([](const Key&) { return true; });
        Place place = list_.place([last](const Key& k) { return k < last->key; });
        remove(place);
    }
    void replace(Node& node, Value&& value, std::int64_t expires) {
        Record* old = node.record.load(std::memory_order_relaxed);
        auto* record = new Record{std::move(value), expires};
        for (auto& hook : hooks_) hook->replacing(node.key, old->value, record->value);
        List::replace(node, record);
        for (auto& hook : hooks_) hook->replaced(node.key, old->value, record->value);
    }
    void remove(Place& place) {
        Node& node = *place.node;
        list_.erase(place);
        size_.store(size() - 1, std::memory_order_relaxed);
        for (auto& hook : hooks_)
            hook->removed(node.key, node.record.load(std::memory_order_relaxed)->value);
    }
    /// Removes what matches among the next `budget` entries behind `last`; false at the end.
    template <typename F>
    bool sweep_from(std::optional<Key>& last, std::size_t budget, F&& matches) {
        bool more = false;
        {
            ReadGuard guard;
            Lock lock(lock_);
            Node* node = list_.seek([&](const Key& k) { return last && !(*last < k); });
            for (; node; node = node->next()) {
                if (budget-- == 0) {
                    more = true;
                    break;
                }
                last.emplace(node->key);
                if (!matches(node->key, *node->record.load(std::memory_order_relaxed))) continue;
                Place place = list_.place([&](const Key& k) { return k < node->key; });
                remove(place);
            }
        }
        reclaim_some();
        return more;
    }

    const std::size_t max_entries_;
    const Eviction eviction_;
    IndexHooks<Key, Value> hooks_;
    List list_;
    SpinLock lock_;
    bool closed_ = false;
    std::atomic<std::size_t> size_{0};
};

}  // namespace bennu::detail
