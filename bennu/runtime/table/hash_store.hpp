#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "bennu/runtime/table/hash_segment.hpp"
#include "bennu/runtime/table/table_index.hpp"
#include "bennu/runtime/table/table_options.hpp"

namespace bennu::detail {

/// The hash table under `Table`. It is cut into segments by the highest bits of the hash, each an
/// open-addressed array of slots.
///
/// * Readers take no lock: they copy a slot and look at its version again. Arrays and records that
///   were replaced are destroyed when nobody can look at them (`quiescence.hpp`).
/// * Changing what a key holds takes the lock bit of its slot.
/// * Adding and removing keys, and growing, take the lock of the segment, then that of the slot.
///
/// Callbacks that run under a lock say so; they must be short and must not use the same table.
template <typename Key, typename Value>
class HashStore {
    using Segment = HashSegment<Key, Value>;
    using Slot = typename Segment::Slot;
    using Array = typename Segment::Array;
    using Lock = std::unique_lock<SpinLock>;

  public:
    explicit HashStore(const TableOptions& options)
        : max_entries_(options.max_entries),
          evicts_(options.max_entries > 0 && options.eviction == Eviction::least_recently_used),
          owned_(std::make_unique<Segment[]>(table_segments())),
          segments_(owned_.get(), table_segments()),
          shift_(64 - std::countr_zero(segments_.size())) {
        if (options.eviction == Eviction::lowest_key || options.eviction == Eviction::highest_key)
            throw std::logic_error("evicting by key needs an OrderedTable");
        std::size_t each = options.expected_entries / segments_.size();
        for (Segment& segment : segments_) segment.array = Segment::make_array(each + each / 8);
    }
    HashStore(const HashStore&) = delete;
    HashStore& operator=(const HashStore&) = delete;

    void add_hook(std::shared_ptr<IndexHook<Key, Value>> hook) { hooks_.push_back(hook); }

    /// `use(const Value&)` if the key is there. No lock is held.
    template <typename K, typename F>
    [[gnu::always_inline]] bool read(const K& key, F&& use) {
        std::uint64_t hash = hash_of(key);
        ReadGuard guard;
        bool live = false;
        segment_of(hash)
            .array.load(std::memory_order_acquire)
            ->read(hash, key, evicts_, [&](const auto& seen, std::int64_t expires) {
                if (expired(expires)) return;
                live = true;
                use(seen.value(), expires);
            });
        return live;
    }

    Stored put(Key key, Value value, std::int64_t expires, bool only_new) {
        std::uint64_t hash = hash_of(key);
        Segment& segment = segment_of(hash);
        Stored stored;
        {
            ReadGuard guard;
            LockedSlot<Slot> slot = segment.lock_key(hash, key);
            if (slot) {
                stored = overwrite(slot, std::move(value), expires, only_new);
            } else {
                Lock lock(segment.lock);
                if (LockedSlot<Slot> meanwhile = segment.lock_key(hash, key)) {
                    stored = overwrite(meanwhile, std::move(value), expires, only_new);
                } else {
                    stored = insert(segment, hash, std::move(key), std::move(value), expires);
                }
            }
        }
        settle(stored);
        return stored;
    }

    /// `change(Value&)` on a copy that replaces the value, unless it returns false; under the
    /// slot's lock. False when the key is not there or nothing changed.
    template <typename K, typename F>
    bool update(const K& key, F&& change) {
        std::uint64_t hash = hash_of(key);
        bool changed = false;
        {
            ReadGuard guard;
            LockedSlot<Slot> slot = segment_of(hash).lock_key(hash, key);
            if (!slot || expired(slot->expires.load(std::memory_order_relaxed))) return false;
            Value value = slot->value();
            changed = apply(change, value);
            if (changed)
                overwrite_value(slot, std::move(value),
                                slot->expires.load(std::memory_order_relaxed));
        }
        reclaim_some();
        return changed;
    }

    /// `change(std::optional<Value>&)` decides between value and absence, under the segment's lock.
    template <typename F>
    Stored compute(Key key, std::int64_t expires, F&& change) {
        std::uint64_t hash = hash_of(key);
        Segment& segment = segment_of(hash);
        Stored stored = Stored::exists;
        {
            ReadGuard guard;
            Lock lock(segment.lock);
            std::optional<Value> value;
            LockedSlot<Slot> slot = segment.lock_key(hash, key);
            bool live = slot && !expired(slot->expires.load(std::memory_order_relaxed));
            if (live) value.emplace(slot->value());
            change(value);
            if (value && slot) {
                overwrite_value(slot, std::move(*value), expires);
                stored = live ? Stored::replaced : Stored::inserted;
            } else if (value) {
                stored = insert(segment, hash, std::move(key), std::move(*value), expires);
            } else if (slot) {
                remove(segment, slot);
            }
        }
        settle(stored);
        return stored;
    }

    /// `use(const Value&)` under the lock, then the key is gone.
    template <typename K, typename F>
    bool take(const K& key, F&& use) {
        std::uint64_t hash = hash_of(key);
        Segment& segment = segment_of(hash);
        bool live = false;
        {
            ReadGuard guard;
            Lock lock(segment.lock);
            LockedSlot<Slot> slot = segment.lock_key(hash, key);
            if (!slot) return false;
            live = !expired(slot->expires.load(std::memory_order_relaxed));
            if (live) use(slot->value());
            remove(segment, slot);
        }
        reclaim_some();
        return live;
    }

    template <typename K>
    Value add(const K& key, Value by, Value initial, std::int64_t expires) {
        std::uint64_t hash = hash_of(key);
        Value sum{};
        bool added = false;
        {
            ReadGuard guard;
            LockedSlot<Slot> slot = segment_of(hash).lock_key(hash, key);
            std::int64_t until = slot ? slot->expires.load(std::memory_order_relaxed) : 0;
            if (slot && !expired(until)) {
                sum = wrapping_add(slot->value(), by);
                overwrite_value(slot, Value(sum), until);
                added = true;
            }
        }
        if (added) {
            reclaim_some();
            return sum;
        }
        // `compute` sets the expiry anew, which is right only for an entry that begins here; one
        // that another writer began meanwhile began just now.
        Stored stored = compute(Key(key), expires, [&](std::optional<Value>& value) {
            sum = wrapping_add(value.value_or(initial), by);
            value = sum;
        });
        return stored == Stored::full ? initial : sum;
    }

    template <typename K>
    bool set_expiry(const K& key, std::int64_t expires) {
        std::uint64_t hash = hash_of(key);
        ReadGuard guard;
        LockedSlot<Slot> slot = segment_of(hash).lock_key(hash, key);
        if (!slot || expired(slot->expires.load(std::memory_order_relaxed))) return false;
        slot.begin_change();
        slot->expires.store(expires, std::memory_order_release);
        return true;
    }

    /// `use(const Key&, const Value&, expires)` for every entry until it returns false. Each entry
    /// is of one moment; the whole is not. No lock is held.
    template <typename F>
    void for_each(F&& use) {
        for (Segment& segment : segments_) {
            ReadGuard guard;
            Array* array = segment.array.load(std::memory_order_acquire);
            bool go_on = true;
            for (std::size_t i = 0; go_on && i < array->capacity(); ++i) {
                array->read_at(i, [&](const auto& seen, std::int64_t expires) {
                    if (!expired(expires)) go_on = use(seen.key(), seen.value(), expires);
                });
            }
            if (!go_on) return;
        }
    }

    /// Removes the entries for which `matches(const Key&, const Value&, expires)`; under locks.
    template <typename F>
    std::size_t erase_if(F&& matches) {
        std::size_t erased = 0;
        for (Segment& segment : segments_) {
            {
                ReadGuard guard;
                Lock lock(segment.lock);
                Array* array = segment.array.load(std::memory_order_relaxed);
                for (std::size_t i = 0; i < array->capacity(); ++i) {
                    LockedSlot<Slot> slot = array->lock_at(i);
                    if (!slot) continue;
                    std::int64_t expires = slot->expires.load(std::memory_order_relaxed);
                    if (!matches(slot->key(), slot->value(), expires)) continue;
                    erased += expired(expires) ? 0 : 1;
                    remove(segment, slot);
                }
            }
            reclaim_some();
        }
        return erased;
    }

    /// Looks at up to `budget` slots and destroys what has expired; false when it is through.
    bool sweep(TableSweep& at, std::size_t budget) {
        for (; at.segment < segments_.size(); ++at.segment, at.slot = 0) {
            Segment& segment = segments_[at.segment];
            for (;; ++at.slot) {
                if (budget-- == 0) {
                    reclaim_some();
                    return true;
                }
                ReadGuard guard;
                Array* array = segment.array.load(std::memory_order_acquire);
                if (at.slot >= array->capacity()) break;
                Slot& slot = array->at(at.slot);
                std::int64_t expires = slot.expires.load(std::memory_order_acquire);
                if (expires == 0 || !(slot.word.load(std::memory_order_acquire) & slot_word::full))
                    continue;
                if (!expired(expires)) {
                    at.saw_expiring = true;
                    continue;
                }
                Lock lock(segment.lock);
                array = segment.array.load(std::memory_order_relaxed);
                LockedSlot<Slot> locked = array->lock_at(at.slot);
                if (locked && expired(locked->expires.load(std::memory_order_relaxed)))
                    remove(segment, locked);
            }
        }
        reclaim_some();
        return false;
    }

    std::size_t size() const {
        if (max_entries_ > 0) return total_.load(std::memory_order_relaxed);
        std::size_t size = 0;
        for (const Segment& segment : segments_)
            size += segment.live.load(std::memory_order_relaxed);
        return size;
    }
    void clear() { empty(false); }
    /// Empties it for good: `put` throws from now on.
    void close() { empty(true); }

  private:
    template <typename K>
    static std::uint64_t hash_of(const K& key) {
        return Segment::hash_of(key);
    }
    Segment& segment_of(std::uint64_t hash) { return segments_.data()[hash >> shift_]; }
    static Value wrapping_add(Value a, Value b) {
        using Unsigned = std::make_unsigned_t<Value>;
        return static_cast<Value>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b));
    }
    template <typename F>
    static bool apply(F& change, Value& value) {
        if constexpr (std::is_same_v<std::invoke_result_t<F&, Value&>, bool>) {
            return change(value);
        } else {
            change(value);
            return true;
        }
    }

    Stored overwrite(LockedSlot<Slot>& slot, Value&& value, std::int64_t expires, bool only_new) {
        bool live = !expired(slot->expires.load(std::memory_order_relaxed));
        if (only_new && live) return Stored::exists;
        overwrite_value(slot, std::move(value), expires);
        return live ? Stored::replaced : Stored::inserted;
    }
    void overwrite_value(LockedSlot<Slot>& slot, Value&& value, std::int64_t expires) {
        std::optional<Value> old_value, new_value;
        if (!hooks_.empty()) [[unlikely]] {
            old_value.emplace(slot->value());
            new_value.emplace(value);
            for (auto& hook : hooks_) hook->replacing(slot->key(), *old_value, *new_value);
        }
        auto&& prepared = Slot::prepare(slot->key(), std::move(value));
        slot.begin_change();
        slot->replace(prepared);
        slot->expires.store(expires, std::memory_order_release);
        if (!hooks_.empty()) [[unlikely]] {
            for (auto& hook : hooks_) hook->replaced(slot->key(), *old_value, *new_value);
        }
    }

    Stored insert(Segment& segment, std::uint64_t hash, Key&& key, Value&& value,
                  std::int64_t expires) {
        if (segment.closed) throw TableClosed();
        if (max_entries_ > 0 && !reserve()) return Stored::full;
        struct Undo {
            std::atomic<std::size_t>* total;
            ~Undo() {
                if (total) total->fetch_sub(1, std::memory_order_relaxed);
            }
        } undo{max_entries_ > 0 ? &total_ : nullptr};
        Slot& slot = segment.vacant(hash);
        for (auto& hook : hooks_) hook->added(key, value);
        slot.fill(std::move(key), std::move(value));
        segment.publish(slot, hash, expires, evicts_);
        undo.total = nullptr;
        return Stored::inserted;
    }

    /// Counts one more entry of a bounded table; false when it is full and rejects.
    bool reserve() {
        std::size_t total = total_.load(std::memory_order_relaxed);
        do {
            if (total >= max_entries_ && !evicts_) return false;
        } while (!total_.compare_exchange_weak(total, total + 1, std::memory_order_relaxed));
        return true;
    }

    /// With the locks of the segment and the slot.
    void remove(Segment& segment, LockedSlot<Slot>& slot) {
        std::optional<std::pair<Key, Value>> old;
        if (!hooks_.empty()) [[unlikely]]
            old.emplace(slot->key(), slot->value());
        segment.erase(slot);
        if (max_entries_ > 0) total_.fetch_sub(1, std::memory_order_relaxed);
        if (old) {
            for (auto& hook : hooks_) hook->removed(old->first, old->second);
        }
    }

    void empty(bool close) {
        for (Segment& segment : segments_) {
            {
                ReadGuard guard;
                Array* fresh = Segment::make_array(0);
                Lock lock(segment.lock);
                segment.drop_all(fresh, [&](Slot& slot) {
                    if (max_entries_ > 0) total_.fetch_sub(1, std::memory_order_relaxed);
                    for (auto& hook : hooks_) hook->removed(slot.key(), slot.value());
                });
                segment.closed |= close;
            }
            reclaim_some();
        }
    }

    /// After a write, without locks: makes room and frees what was replaced.
    void settle(Stored stored) {
        if (evicts_ && stored == Stored::inserted) {
            while (total_.load(std::memory_order_relaxed) > max_entries_ && evict_one()) {}
        }
        reclaim_some();
    }
    bool evict_one() {
        for (std::size_t tries = 0; tries < segments_.size(); ++tries) {
            std::size_t turn = next_to_evict_.fetch_add(1, std::memory_order_relaxed);
            Segment& segment = segments_[turn & (segments_.size() - 1)];
            ReadGuard guard;
            Lock lock(segment.lock);
            LockedSlot<Slot> slot = segment.least_recently_used(
                [](const Slot& s) { return expired(s.expires.load(std::memory_order_relaxed)); });
            if (!slot) continue;
            remove(segment, slot);
            return true;
        }
        return false;
    }

    const std::size_t max_entries_;
    const bool evicts_;
    IndexHooks<Key, Value> hooks_;
    const std::unique_ptr<Segment[]> owned_;
    const std::span<Segment> segments_;
    const int shift_;
    alignas(64) std::atomic<std::size_t> total_{0};  ///< only of a bounded table
    std::atomic<std::size_t> next_to_evict_{0};
};

}  // namespace bennu::detail
