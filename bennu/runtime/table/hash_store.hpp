#pragma once

#include <algorithm>
#include <bit>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "bennu/runtime/table/slot_array.hpp"
#include "bennu/runtime/table/table_hash.hpp"
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
    using Slot = SlotFor<Key, Value>;
    using Array = SlotArray<Slot>;
    using Lock = std::unique_lock<SpinLock>;
    struct alignas(64) Segment {
        std::atomic<Array*> array{nullptr};
        SpinLock lock;
        bool closed = false;
        std::atomic<std::size_t> live{0};
        std::size_t used = 0;  ///< slots that are not empty: live or erased
        std::size_t hand = 0;  ///< where eviction goes on
    };

  public:
    explicit HashStore(const TableOptions& options)
        : max_entries_(options.max_entries),
          evicts_(options.max_entries > 0 && options.eviction == Eviction::least_recently_used),
          owned_(std::make_unique<Segment[]>(table_segments())),
          segments_(owned_.get(), table_segments()),
          shift_(64 - std::countr_zero(segments_.size())) {
        std::size_t each = options.expected_entries / segments_.size();
        for (Segment& segment : segments_) segment.array = new Array(capacity_for(each + each / 8));
    }
    ~HashStore() {
        for (Segment& segment : segments_) {
            Array* array = segment.array.load();
            for (std::size_t i = 0; i < array->capacity(); ++i) {
                if (array->at(i).word.load() & slot_word::full) array->at(i).destroy();
            }
            delete array;
        }
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
            LockedSlot<Slot> slot = lock_key(segment, hash, key);
            if (slot) {
                stored = overwrite(slot, std::move(value), expires, only_new);
            } else {
                Lock lock(segment.lock);
                if (LockedSlot<Slot> meanwhile = lock_key(segment, hash, key)) {
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
            LockedSlot<Slot> slot = lock_key(segment_of(hash), hash, key);
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
            LockedSlot<Slot> slot = lock_key(segment, hash, key);
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
            LockedSlot<Slot> slot = lock_key(segment, hash, key);
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
            LockedSlot<Slot> slot = lock_key(segment_of(hash), hash, key);
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
        LockedSlot<Slot> slot = lock_key(segment_of(hash), hash, key);
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
        if constexpr (std::is_integral_v<Key>) {
            return TableHash<Key>{}(static_cast<Key>(key));
        } else if constexpr (std::is_convertible_v<const K&, std::string_view>) {
            return TableHash<std::string_view>{}(key);
        } else {
            return TableHash<Key>{}(key);
        }
    }
    Segment& segment_of(std::uint64_t hash) { return segments_.data()[hash >> shift_]; }
    static std::size_t capacity_for(std::size_t live) {
        return std::max<std::size_t>(8, std::bit_ceil(live + live / 3 + 1));
    }
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

    /// Locks the slot of a key that is there. Takes part in no order of locks: it waits only for
    /// holders of this slot, and for a growing array.
    template <typename K>
    static LockedSlot<Slot> lock_key(Segment& segment, std::uint64_t hash, const K& key) {
        WriteBackoff backoff;
        while (true) {
            Array* array = segment.array.load(std::memory_order_acquire);
            array->expect_write(hash);
            auto [slot, word] = array->find(hash, key);
            if (!slot) return {};
            if (word & (slot_word::moved | slot_word::locked)) {
                backoff.wait();
            } else if (slot->word.compare_exchange_strong(word, word | slot_word::locked,
                                                          std::memory_order_acquire)) {
                return LockedSlot<Slot>(slot, word);
            } else {
                backoff.wait();
            }
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
        Array* array = segment.array.load(std::memory_order_relaxed);
        if ((segment.used + 1) * 4 > array->capacity() * 3) array = rehash(segment);
        Slot& slot = array->vacant(hash);
        for (auto& hook : hooks_) hook->added(key, value);
        slot.fill(std::move(key), std::move(value));
        if (!(slot.word.load(std::memory_order_relaxed) & slot_word::gone)) ++segment.used;
        publish_slot(slot, hash, expires, evicts_);
        add_live(segment, 1);
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
        slot.erase();
        add_live(segment, -1);
        if (max_entries_ > 0) total_.fetch_sub(1, std::memory_order_relaxed);
        if (old) {
            for (auto& hook : hooks_) hook->removed(old->first, old->second);
        }
    }
    static void add_live(Segment& segment, std::ptrdiff_t by) {
        segment.live.store(
            segment.live.load(std::memory_order_relaxed) + static_cast<std::size_t>(by),
            std::memory_order_relaxed);
    }

    /// A new array with room for as many again, without what was erased.
    Array* rehash(Segment& segment) {
        Array* old = segment.array.load(std::memory_order_relaxed);
        std::size_t live = segment.live.load(std::memory_order_relaxed);
        auto* array = new Array(capacity_for(std::max(live + live / 2, live + 4)));
        for (std::size_t i = 0; i < old->capacity(); ++i) {
            if (!old->freeze(i)) continue;
            Slot& from = old->at(i);
            std::uint64_t hash = hash_of(from.key());
            Slot& to = array->vacant(hash);
            to.take_over(from);
            publish_slot(to, hash, from.expires.load(std::memory_order_relaxed),
                         (from.word.load(std::memory_order_relaxed) & slot_word::referenced) != 0);
        }
        segment.used = live;
        segment.hand = 0;
        segment.array.store(array, std::memory_order_release);
        retire(old);
        return array;
    }

    void empty(bool close) {
        for (Segment& segment : segments_) {
            {
                ReadGuard guard;
                auto* fresh = new Array(capacity_for(0));
                Lock lock(segment.lock);
                Array* old = segment.array.load(std::memory_order_relaxed);
                for (std::size_t i = 0; i < old->capacity(); ++i) {
                    if (!old->freeze(i)) continue;
                    Slot& slot = old->at(i);
                    if (max_entries_ > 0) total_.fetch_sub(1, std::memory_order_relaxed);
                    for (auto& hook : hooks_) hook->removed(slot.key(), slot.value());
                    slot.drop();
                }
                segment.live.store(0, std::memory_order_relaxed);
                segment.used = 0;
                segment.hand = 0;
                segment.closed |= close;
                segment.array.store(fresh, std::memory_order_release);
                retire(old);
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
    /// Second chance: the first entry behind the hand that was not read since the hand was there.
    bool evict_one() {
        for (std::size_t tries = 0; tries < segments_.size(); ++tries) {
            std::size_t turn = next_to_evict_.fetch_add(1, std::memory_order_relaxed);
            Segment& segment = segments_[turn & (segments_.size() - 1)];
            ReadGuard guard;
            Lock lock(segment.lock);
            if (segment.live.load(std::memory_order_relaxed) == 0) continue;
            Array* array = segment.array.load(std::memory_order_relaxed);
            for (std::size_t steps = 0; steps <= 2 * array->capacity(); ++steps) {
                Slot& slot = array->at(segment.hand++);
                std::uint64_t word = slot.word.load(std::memory_order_relaxed);
                if (!(word & slot_word::full)) continue;
                if ((word & slot_word::referenced) &&
                    !expired(slot.expires.load(std::memory_order_relaxed)) &&
                    steps < array->capacity()) {
                    slot.word.fetch_and(~slot_word::referenced, std::memory_order_relaxed);
                    continue;
                }
                LockedSlot<Slot> locked = array->lock_at(segment.hand - 1);
                remove(segment, locked);
                return true;
            }
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
