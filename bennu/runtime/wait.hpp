#pragma once

#include <coroutine>
#include <cstdint>
#include <optional>
#include <vector>

#include "bennu/base/result.hpp"
#include "bennu/runtime/message.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu::detail {

/// What a suspended coroutine waits for; lives in its frame. Exactly one of the typed value (in the
/// derived class) and `error` is set when it is resumed.
struct WaitState {
    std::optional<Error> error;
};

template <typename T>
struct ValueWaitState : WaitState {
    std::optional<T> value;
};

/// The suspended coroutines of one shard, by index and generation. Everything that can complete a
/// wait (a reply, a timer, an offloaded job) holds only the key: when the coroutine was destroyed
/// meanwhile, the key finds nothing.
class WaitTable {
  public:
    struct Entry {
        std::uint32_t generation = 1;
        bool active = false;
        bool completed = false;
        Pid owner;
        std::coroutine_handle<> coroutine;
        WaitState* state = nullptr;
        std::uint32_t next_free = 0;
    };

    ReplyTo add(std::uint8_t shard, Pid owner, std::coroutine_handle<> coroutine,
                WaitState* state) {
        std::uint32_t index = first_free_ != 0 ? take_free() : grow();
        Entry& entry = entries_.data()[index];
        entry.active = true;
        entry.completed = false;
        entry.owner = owner;
        entry.coroutine = coroutine;
        entry.state = state;
        entry.next_free = 0;
        ++size_;
        ReplyTo key;
        key.index = index;
        key.generation = entry.generation;
        key.shard = shard;
        return key;
    }
    /// Called by the awaiter's destructor: the key finds nothing from now on.
    void remove(ReplyTo key) {
        Entry* entry = find(key.index, key.generation);
        if (!entry) return;
        entry->active = false;
        entry->generation = (entry->generation + 1) & generation_mask;
        --size_;
        // A key may be kept for ever: a slot that has had all its generations is not used again.
        if (entry->generation == 0) return;
        // First in, first out: a slot rests as long as possible before its generation moves on
        // again.
        if (last_free_ != 0) {
            entries_.data()[last_free_ - 1].next_free = key.index + 1;
        } else {
            first_free_ = key.index + 1;
        }
        last_free_ = key.index + 1;
    }
    /// The entry that still waits for its value; null when it is gone or was completed already.
    Entry* find_waiting(ReplyTo key) {
        Entry* entry = find(key.index, key.generation);
        return entry && !entry->completed ? entry : nullptr;
    }
    /// The entry whose value has arrived and that is due to be resumed.
    Entry* find(std::uint32_t index, std::uint32_t generation) {
        if (index >= entries_.size()) return nullptr;
        Entry& entry = entries_.data()[index];
        return entry.active && entry.generation == generation ? &entry : nullptr;
    }
    /// A coroutine of this process that waits; null when there is none. For a look from outside:
    /// walks over all of the shard's.
    const Entry* first_of(Pid owner) const;
    std::size_t size() const { return size_; }
    std::size_t bytes() const { return entries_.capacity() * sizeof(Entry); }

  private:
    static constexpr std::uint32_t generation_mask = 0xFFFFFF;
    std::uint32_t take_free() {
        std::uint32_t index = first_free_ - 1;
        first_free_ = entries_.data()[index].next_free;
        if (first_free_ == 0) last_free_ = 0;
        return index;
    }
    std::uint32_t grow();
    std::vector<Entry> entries_;
    std::uint32_t first_free_ = 0;  // index + 1; 0: none
    std::uint32_t last_free_ = 0;
    std::size_t size_ = 0;
};

}  // namespace bennu::detail
