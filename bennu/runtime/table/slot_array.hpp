#pragma once

#include <bit>
#include <cstddef>
#include <new>

#include "bennu/runtime/table/slot.hpp"

namespace bennu::detail {

/// Memory for `bytes` zeroes; large blocks ask for huge pages, which random reads of a big table
/// need most.
void* allocate_slots(std::size_t bytes);
void free_slots(void* memory, std::size_t bytes);

/// A power of two of slots, probed one after the other. Never more than three quarters are used,
/// so every probe ends at an empty one.
template <typename Slot>
class SlotArray {
  public:
    explicit SlotArray(std::size_t capacity)
        : mask_(capacity - 1), slots_(static_cast<Slot*>(allocate_slots(capacity * sizeof(Slot)))) {
        for (std::size_t i = 0; i < capacity; ++i) ::new (slots_ + i) Slot;
    }
    ~SlotArray() { free_slots(slots_, capacity() * sizeof(Slot)); }
    SlotArray(const SlotArray&) = delete;
    SlotArray& operator=(const SlotArray&) = delete;

    std::size_t capacity() const { return mask_ + 1; }
    Slot& at(std::size_t i) { return slots_[i & mask_]; }

    struct Found {
        Slot* slot = nullptr;
        std::uint64_t word = 0;
    };
    /// Asks for the line where a probe begins as its owner, before a writer looks at it: a line
    /// that another shard wrote last then travels once, not first to be read and again to be
    /// changed.
    void expect_write(std::uint64_t hash) { asm volatile("prefetchw %0" : : "m"(at(hash))); }
    /// For a writer: the slot that holds the key, and the word it had then.
    template <typename K>
    Found find(std::uint64_t hash, const K& key) {
        const std::uint64_t tag = slot_word::tag(hash);
        for (std::size_t i = hash;; ++i) {
            Slot& slot = at(i);
            WriteBackoff backoff;
            while (true) {
                std::uint64_t word = slot.word.load(std::memory_order_acquire);
                if (!(word & (slot_word::full | slot_word::gone))) return {};
                if (!(word & slot_word::full) || (word & slot_word::tag_mask) != tag) break;
                if (word & slot_word::in_flux) {
                    backoff.wait();
                    continue;
                }
                bool same = slot.holds(key);
                if (!unchanged(slot, word)) continue;
                if (same) return {&slot, word};
                break;
            }
        }
    }

    /// Copies what the key's slot holds, all of one moment, and passes it to `use(seen, expires)`;
    /// false when the key is not there. Takes no lock and writes nothing.
    template <typename K, typename F>
    [[gnu::always_inline]] bool read(std::uint64_t hash, const K& key, bool mark_referenced,
                                     F&& use) {
        const std::uint64_t tag = slot_word::tag(hash);
        for (std::size_t i = hash;; ++i) {
            Slot& slot = at(i);
            Backoff backoff;
            while (true) {
                std::uint64_t word = slot.word.load(std::memory_order_acquire);
                if (!(word & (slot_word::full | slot_word::gone))) return false;
                if (!(word & slot_word::full) || (word & slot_word::tag_mask) != tag) break;
                if (word & slot_word::in_flux) {
                    backoff.wait();
                    continue;
                }
                auto seen = slot.see();
                std::int64_t expires = slot.expires.load(std::memory_order_acquire);
                if (!unchanged(slot, word)) continue;
                if (!(seen.key() == key)) break;
                if (mark_referenced && !(word & slot_word::referenced))
                    slot.word.fetch_or(slot_word::referenced, std::memory_order_relaxed);
                use(seen, expires);
                return true;
            }
        }
    }

    /// What the i-th slot holds, if it holds anything.
    template <typename F>
    void read_at(std::size_t i, F&& use) {
        Slot& slot = at(i);
        Backoff backoff;
        while (true) {
            std::uint64_t word = slot.word.load(std::memory_order_acquire);
            if (!(word & slot_word::full)) return;
            if (word & slot_word::in_flux) {
                backoff.wait();
                continue;
            }
            auto seen = slot.see();
            std::int64_t expires = slot.expires.load(std::memory_order_acquire);
            if (!unchanged(slot, word)) continue;
            use(seen, expires);
            return;
        }
    }

    /// Locks a full slot whatever it holds; nothing when it is empty. The caller holds the
    /// segment's lock, so nobody freezes the slot meanwhile.
    LockedSlot<Slot> lock_at(std::size_t i) {
        Slot& slot = at(i);
        Backoff backoff;
        while (true) {
            std::uint64_t word = slot.word.load(std::memory_order_acquire);
            if (!(word & slot_word::full)) return {};
            if (word & slot_word::locked) {
                backoff.wait();
            } else if (slot.word.compare_exchange_weak(word, word | slot_word::locked,
                                                       std::memory_order_acquire)) {
                return LockedSlot<Slot>(&slot, word);
            }
        }
    }

    /// Forbids further writes to the i-th slot; true when it holds something.
    bool freeze(std::size_t i) {
        Slot& slot = at(i);
        Backoff backoff;
        while (true) {
            std::uint64_t word = slot.word.load(std::memory_order_acquire);
            if (!(word & slot_word::full)) return false;
            if (word & slot_word::locked) {
                backoff.wait();
            } else if (slot.word.compare_exchange_weak(word, word | slot_word::moved,
                                                       std::memory_order_acq_rel)) {
                return true;
            }
        }
    }

    /// Where a key that is not there may be put: the first erased slot of its probe, or the empty
    /// one at the end.
    Slot& vacant(std::uint64_t hash) {
        Slot* erased = nullptr;
        for (std::size_t i = hash;; ++i) {
            Slot& slot = at(i);
            std::uint64_t word = slot.word.load(std::memory_order_relaxed);
            if (word & slot_word::full) continue;
            if (!(word & slot_word::gone)) return erased ? *erased : slot;
            if (!erased) erased = &slot;
        }
    }

  private:
    static bool unchanged(const Slot& slot, std::uint64_t word) {
        return ((slot.word.load(std::memory_order_acquire) ^ word) & slot_word::stable) == 0;
    }

    std::size_t mask_;
    Slot* slots_;
};

/// Makes a filled slot visible.
template <typename Slot>
void publish_slot(Slot& slot, std::uint64_t hash, std::int64_t expires, bool referenced) {
    slot.expires.store(expires, std::memory_order_release);
    std::uint64_t word = slot.word.load(std::memory_order_relaxed) & slot_word::versions;
    slot.word.store((word + slot_word::one_version) | slot_word::full | slot_word::tag(hash) |
                        (referenced ? slot_word::referenced : 0),
                    std::memory_order_release);
}

}  // namespace bennu::detail
