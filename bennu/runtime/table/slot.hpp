#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "bennu/base/time.hpp"
#include "bennu/runtime/table/quiescence.hpp"
#include "bennu/runtime/table/spin_lock.hpp"

namespace bennu::detail {

/// The first word of every slot of a hash table: who may touch it, what it holds, and a version
/// that moves with every change, so that a reader notices that what it copied was overwritten
/// meanwhile.
namespace slot_word {
inline constexpr std::uint64_t locked = 1;   ///< a writer is at it; readers take no notice
inline constexpr std::uint64_t in_flux = 2;  ///< its contents are being overwritten
inline constexpr std::uint64_t full = 4;
inline constexpr std::uint64_t gone = 8;         ///< erased; a probe goes on behind it
inline constexpr std::uint64_t moved = 16;       ///< frozen: writers go to the larger array
inline constexpr std::uint64_t referenced = 32;  ///< read since the eviction hand passed
inline constexpr std::uint64_t one_version = 1ULL << 24;
inline constexpr std::uint64_t tag_mask = 0xFFFFULL << 8;
inline constexpr std::uint64_t versions = ~(one_version - 1);
/// What must not differ between the two looks that a reader takes.
inline constexpr std::uint64_t stable = in_flux | full | gone | tag_mask | versions;

constexpr std::uint64_t tag(std::uint64_t hash) {
    return (hash >> 24) & tag_mask;
}
}  // namespace slot_word

/// A trivially copyable value that may be overwritten while it is read: whole words, each atomic.
/// The acquire and release orders cost nothing on x86 and keep the words between the two looks at
/// the version.
template <typename T>
class AtomicWords {
    static constexpr std::size_t count = (sizeof(T) + 7) / 8;

  public:
    T load() const {
        std::array<std::uint64_t, count> words;
        for (std::size_t i = 0; i < count; ++i)
            words[i] = words_[i].load(std::memory_order_acquire);
        if constexpr (sizeof(T) == sizeof(words)) {
            return std::bit_cast<T>(words);
        } else {
            std::array<std::byte, sizeof(T)> bytes;
            std::memcpy(bytes.data(), words.data(), sizeof(T));
            return std::bit_cast<T>(bytes);
        }
    }
    void store(const T& value) {
        std::array<std::uint64_t, count> words{};
        std::memcpy(words.data(), static_cast<const void*>(&value), sizeof(T));
        for (std::size_t i = 0; i < count; ++i)
            words_[i].store(words[i], std::memory_order_release);
    }

  private:
    std::array<std::atomic<std::uint64_t>, count> words_{};
};

template <typename T>
concept InlineValue =
    std::is_trivially_copyable_v<T> && sizeof(T) <= 64 && alignof(T) <= alignof(std::uint64_t);

/// Key and value in the slot itself, for trivially copyable types of at most 64 bytes.
template <typename Key, typename Value>
class InlineSlot {
  public:
    std::atomic<std::uint64_t> word{0};
    std::atomic<std::int64_t> expires{0};  ///< Instant in ns; 0: never

    /// What a reader copies before it takes its second look.
    struct Seen {
        Key key_;
        Value value_;
        const Key& key() const { return key_; }
        const Value& value() const { return value_; }
    };
    Seen see() const { return {key_.load(), value_.load()}; }
    template <typename K>
    bool holds(const K& key) const {
        return key_.load() == key;
    }
    /// For the writer that holds the lock.
    Value value() const { return value_.load(); }
    Key key() const { return key_.load(); }
    /// Made before the contents are in flux, since it may throw.
    static Value prepare(const Key&, Value&& value) { return value; }
    void replace(const Value& prepared) { value_.store(prepared); }
    void fill(Key&& key, Value&& value) {
        key_.store(key);
        value_.store(value);
    }
    void drop() {}
    void take_over(const InlineSlot& from) {
        key_.store(from.key_.load());
        value_.store(from.value_.load());
    }
    /// No reader is left: frees what the slot owns.
    void destroy() {}

  private:
    AtomicWords<Key> key_;
    AtomicWords<Value> value_;
};

/// Key and value in an immutable record beside the slot; a replaced one is retired.
template <typename Key, typename Value>
class RecordSlot {
    struct Record {
        Key key_;
        Value value_;
    };

  public:
    std::atomic<std::uint64_t> word{0};
    std::atomic<std::int64_t> expires{0};

    struct Seen {
        const Record* record;
        const Key& key() const { return record->key_; }
        const Value& value() const { return record->value_; }
    };
    Seen see() const { return {record_.load(std::memory_order_acquire)}; }
    template <typename K>
    bool holds(const K& key) const {
        const Record* record = record_.load(std::memory_order_acquire);
        return record && record->key_ == key;
    }
    const Value& value() const { return record_.load(std::memory_order_relaxed)->value_; }
    const Key& key() const { return record_.load(std::memory_order_relaxed)->key_; }
    static Record* prepare(const Key& key, Value&& value) {
        return new Record{key, std::move(value)};
    }
    void replace(Record* prepared) {
        retire(record_.load(std::memory_order_relaxed));
        record_.store(prepared, std::memory_order_release);
    }
    void fill(Key&& key, Value&& value) {
        record_.store(new Record{std::move(key), std::move(value)}, std::memory_order_release);
    }
    void drop() { retire(record_.load(std::memory_order_relaxed)); }
    void take_over(const RecordSlot& from) {
        record_.store(from.record_.load(std::memory_order_relaxed), std::memory_order_release);
    }
    void destroy() { delete record_.load(std::memory_order_relaxed); }

  private:
    std::atomic<Record*> record_{nullptr};
};

template <typename Key, typename Value>
using SlotFor = std::conditional_t<InlineValue<Key> && InlineValue<Value>, InlineSlot<Key, Value>,
                                   RecordSlot<Key, Value>>;

/// The right to change one slot. Readers see the old contents until `begin_change`, and then wait
/// for the few stores until the end.
template <typename Slot>
class LockedSlot {
  public:
    LockedSlot() = default;
    /// `word` is what the slot's word was when it was unlocked.
    LockedSlot(Slot* slot, std::uint64_t word) : slot_(slot), word_(word) {}
    LockedSlot(LockedSlot&& other) noexcept
        : slot_(std::exchange(other.slot_, nullptr)),
          word_(other.word_),
          changed_(other.changed_) {}
    LockedSlot& operator=(LockedSlot&&) = delete;
    ~LockedSlot() {
        if (!slot_) return;
        std::uint64_t word = word_ & ~slot_word::locked;
        slot_->word.store(changed_ ? word + slot_word::one_version : word,
                          std::memory_order_release);
    }
    explicit operator bool() const { return slot_ != nullptr; }
    Slot& operator*() { return *slot_; }
    Slot* operator->() { return slot_; }

    void begin_change() {
        slot_->word.store(word_ | slot_word::locked | slot_word::in_flux,
                          std::memory_order_relaxed);
        changed_ = true;
    }
    /// The slot is empty for good when the lock ends; its contents were retired.
    void erase() {
        begin_change();
        slot_->drop();
        word_ = (word_ & slot_word::versions) | slot_word::gone;
    }

  private:
    Slot* slot_ = nullptr;
    std::uint64_t word_ = 0;
    bool changed_ = false;
};

}  // namespace bennu::detail
