#pragma once

#include <cstdint>
#include <memory>

#include "bennu/runtime/pool.hpp"

namespace bennu::detail {

/// What a shard has to run: a process's turn or a coroutine whose answer came, by index and
/// generation, so that what has ended meanwhile is simply not found.
struct Due {
    std::uint32_t index : 31;
    std::uint32_t process : 1;
    std::uint32_t generation;
};

/// First in, first out; a ring that doubles when it is full.
class RunQueue {
  public:
    bool empty() const { return head_ == tail_; }
    std::size_t size() const { return tail_ - head_; }
    void push(Due due) {
        if (tail_ - head_ == capacity_) grow();
        items_[tail_++ & (capacity_ - 1)] = due;
    }
    Due pop() { return items_[head_++ & (capacity_ - 1)]; }

  private:
    [[gnu::noinline]] void grow() {
        MustAllocate no_turn_is_lost;
        auto larger = std::make_unique_for_overwrite<Due[]>(capacity_ * 2);
        for (std::uint32_t i = head_; i != tail_; ++i) {
            larger[i & (capacity_ * 2 - 1)] = items_[i & (capacity_ - 1)];
        }
        items_ = std::move(larger);
        capacity_ *= 2;
    }

    std::uint32_t head_ = 0;
    std::uint32_t tail_ = 0;
    std::uint32_t capacity_ = 1024;
    std::unique_ptr<Due[]> items_ = std::make_unique_for_overwrite<Due[]>(capacity_);
};

}  // namespace bennu::detail
