#pragma once

#include <algorithm>
#include <bit>

#include "bennu/runtime/table/slot_array.hpp"
#include "bennu/runtime/table/table_hash.hpp"

namespace bennu::detail {

/// One part of a hash table: an open-addressed array of slots, which grows by being replaced, and
/// the lock of everybody who adds or removes keys. It knows nothing of bounds, expiry or indexes.
template <typename Key, typename Value>
struct alignas(64) HashSegment {
    using Slot = SlotFor<Key, Value>;
    using Array = SlotArray<Slot>;

    std::atomic<Array*> array{nullptr};
    SpinLock lock;
    bool closed = false;
    std::atomic<std::size_t> live{0};
    std::size_t used = 0;  ///< slots that are not empty: live or erased
    std::size_t hand = 0;  ///< where eviction goes on

    HashSegment() = default;
    HashSegment(const HashSegment&) = delete;
    HashSegment& operator=(const HashSegment&) = delete;
    ~HashSegment() {
        Array* last = array.load();
        if (!last) return;
        for (std::size_t i = 0; i < last->capacity(); ++i) {
            if (last->at(i).word.load() & slot_word::full) last->at(i).destroy();
        }
        delete last;
    }

    /// An array with room for so many entries.
    static Array* make_array(std::size_t entries) {
        return new Array(std::max<std::size_t>(8, std::bit_ceil(entries + entries / 3 + 1)));
    }
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

    /// Locks the slot of a key that is there. Takes part in no order of locks: it waits only for
    /// holders of this slot, and for a growing array.
    template <typename K>
    LockedSlot<Slot> lock_key(std::uint64_t hash, const K& key) {
        WriteBackoff backoff;
        while (true) {
            Array* present = array.load(std::memory_order_acquire);
            present->expect_write(hash);
            auto [slot, word] = present->find(hash, key);
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

    // With the lock held:

    /// Where a key that is not there may be put; grows the array when it is too full.
    Slot& vacant(std::uint64_t hash) {
        Array* present = array.load(std::memory_order_relaxed);
        if ((used + 1) * 4 > present->capacity() * 3) present = grow();
        return present->vacant(hash);
    }
    /// Shows the entry that a vacant slot was filled with.
    void publish(Slot& slot, std::uint64_t hash, std::int64_t expires, bool referenced) {
        if (!(slot.word.load(std::memory_order_relaxed) & slot_word::gone)) ++used;
        publish_slot(slot, hash, expires, referenced);
        add_live(1);
    }
    void erase(LockedSlot<Slot>& slot) {
        slot.erase();
        add_live(-1);
    }
    /// Puts an empty array in the place of the present one; `each(slot)` sees what is dropped.
    template <typename F>
    void drop_all(Array* fresh, F&& each) {
        Array* old = array.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < old->capacity(); ++i) {
            if (!old->freeze(i)) continue;
            Slot& slot = old->at(i);
            each(slot);
            slot.drop();
        }
        live.store(0, std::memory_order_relaxed);
        replace(fresh, 0);
    }
    /// Second chance: locks the first entry behind the hand that was not read since the hand was
    /// there, or that `is_due`; nothing when there are no entries.
    template <typename F>
    LockedSlot<Slot> least_recently_used(F&& is_due) {
        if (live.load(std::memory_order_relaxed) == 0) return {};
        Array* present = array.load(std::memory_order_relaxed);
        for (std::size_t steps = 0; steps <= 2 * present->capacity(); ++steps) {
            Slot& slot = present->at(hand++);
            std::uint64_t word = slot.word.load(std::memory_order_relaxed);
            if (!(word & slot_word::full)) continue;
            if ((word & slot_word::referenced) && steps < present->capacity() && !is_due(slot)) {
                slot.word.fetch_and(~slot_word::referenced, std::memory_order_relaxed);
                continue;
            }
            return present->lock_at(hand - 1);
        }
        return {};
    }

  private:
    void add_live(std::ptrdiff_t by) {
        live.store(live.load(std::memory_order_relaxed) + static_cast<std::size_t>(by),
                   std::memory_order_relaxed);
    }
    void replace(Array* fresh, std::size_t entries) {
        Array* old = array.load(std::memory_order_relaxed);
        used = entries;
        hand = 0;
        array.store(fresh, std::memory_order_release);
        retire(old);
    }
    /// A new array with room for as many again, without what was erased.
    Array* grow() {
        Array* old = array.load(std::memory_order_relaxed);
        std::size_t entries = live.load(std::memory_order_relaxed);
        Array* fresh = make_array(std::max(entries + entries / 2, entries + 4));
        for (std::size_t i = 0; i < old->capacity(); ++i) {
            if (!old->freeze(i)) continue;
            Slot& from = old->at(i);
            std::uint64_t hash = hash_of(from.key());
            Slot& to = fresh->vacant(hash);
            to.take_over(from);
            publish_slot(to, hash, from.expires.load(std::memory_order_relaxed),
                         (from.word.load(std::memory_order_relaxed) & slot_word::referenced) != 0);
        }
        replace(fresh, entries);
        return fresh;
    }
};

}  // namespace bennu::detail
