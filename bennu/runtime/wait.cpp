#include "bennu/runtime/wait.hpp"

namespace bennu::detail {

ReplyTo WaitTable::add(std::uint8_t shard, Pid owner, std::coroutine_handle<> coroutine,
                       WaitState* state) {
    std::uint32_t index;
    if (first_free_ != 0) {
        index = first_free_ - 1;
        first_free_ = entries_[index].next_free;
        if (first_free_ == 0) last_free_ = 0;
    } else {
        index = static_cast<std::uint32_t>(entries_.size());
        entries_.emplace_back();
    }
    Entry& entry = entries_[index];
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

void WaitTable::remove(ReplyTo key) {
    Entry* entry = find(key.index, key.generation);
    if (!entry) return;
    entry->active = false;
    entry->generation = (entry->generation + 1) & generation_mask;
    --size_;
    // A key may be kept for ever: a slot that has had all its generations is not used again.
    if (entry->generation == 0) return;
    // First in, first out: a slot rests as long as possible before its generation moves on again.
    if (last_free_ != 0) {
        entries_[last_free_ - 1].next_free = key.index + 1;
    } else {
        first_free_ = key.index + 1;
    }
    last_free_ = key.index + 1;
}

const WaitTable::Entry* WaitTable::first_of(Pid owner) const {
    for (const Entry& entry : entries_) {
        if (entry.active && entry.owner == owner) return &entry;
    }
    return nullptr;
}

}  // namespace bennu::detail
