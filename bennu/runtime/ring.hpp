#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "bennu/runtime/message.hpp"

namespace bennu::detail {

/// Envelopes from one shard to one other, in order: one writer, one reader. The writer's pushes
/// become visible with `publish`, once a turn; what does not fit waits on the writer's side. No
/// push is ever refused.
class Ring {
  public:
    ~Ring() {
        while (publish()) pull([](Envelope& e) { e.type->destroy(e.payload); });
        pull([](Envelope& e) { e.type->destroy(e.payload); });
    }

    /// Writer only. Takes over the envelope's payload.
    void push(Envelope& envelope) {
        if (!overflow_.empty() || full()) {
            take(overflow_.emplace_back(), envelope);
        } else {
            take(slots_[local_tail_ % capacity], envelope);
            ++local_tail_;
        }
    }
    /// Writer only: shows everything pushed so far to the reader. True when there was something.
    bool publish() {
        while (!overflow_.empty() && !full()) {
            take(slots_[local_tail_ % capacity], overflow_.front());
            overflow_.pop_front();
            ++local_tail_;
        }
        if (local_tail_ == published_) return false;
        published_ = local_tail_;
        // seq_cst: paired with the reader's check between announcing its sleep and sleeping.
        tail_.store(local_tail_, std::memory_order_seq_cst);
        return true;
    }
    bool has_overflow() const { return !overflow_.empty(); }

    /// Reader only.
    bool empty() const {
        return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_seq_cst);
    }
    /// Reader only: hands each visible envelope to `use`, which takes over its payload.
    template <typename F>
    std::size_t pull(F&& use) {
        std::uint64_t tail = tail_.load(std::memory_order_acquire);
        std::uint64_t head = head_.load(std::memory_order_relaxed);
        std::size_t count = tail - head;
        for (; head != tail; ++head) {
            use(slots_[head % capacity]);
            head_.store(head + 1, std::memory_order_release);
        }
        return count;
    }

  private:
    static constexpr std::uint64_t capacity = 256;

    static void take(Envelope& to, Envelope& from) {
        take_envelope(to, from);
        from.type = nullptr;
    }
    bool full() const { return local_tail_ - head_.load(std::memory_order_acquire) == capacity; }

    alignas(64) std::atomic<std::uint64_t> head_{0};
    alignas(64) std::atomic<std::uint64_t> tail_{0};
    alignas(64) std::uint64_t local_tail_ = 0;
    std::uint64_t published_ = 0;
    std::deque<Envelope> overflow_;
    std::unique_ptr<Envelope[]> slots_ = std::make_unique<Envelope[]>(capacity);
};

}  // namespace bennu::detail
