#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "bennu/runtime/message.hpp"

namespace bennu::detail {

/// Envelopes from one shard to one other, in order: one writer, one reader. Pushes are shown to the
/// reader in portions, so that it works on the first while the writer makes the next; `publish`,
/// once a turn, shows the rest. What does not fit waits on the writer's side. No push is ever
/// refused.
class Ring {
  public:
    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() {
        do {
            pull([](Envelope& e) { e.type->destroy(e.payload); });
        } while (publish());
    }

    /// Writer only. Takes over the envelope's payload.
    void push(Envelope& envelope) {
        if (overflow_.empty() && has_room()) [[likely]] {
            put(envelope);
            if (next_ - shown_ >= portion) {
                shown_ = next_;
                tail_.store(next_, std::memory_order_release);
            }
        } else {
            take(overflow_.emplace_back(), envelope);
        }
    }
    /// Writer only: shows everything that fits to the reader. True when something was pushed since
    /// the last call: the reader may sleep and not know it.
    bool publish() {
        while (!overflow_.empty() && has_room()) {
            put(overflow_.front());
            overflow_.pop_front();
        }
        if (next_ == published_) return false;
        published_ = shown_ = next_;
        // seq_cst: paired with the reader's check between announcing its sleep and sleeping. Stored
        // even if a portion has shown all of it already.
        tail_.store(next_, std::memory_order_seq_cst);
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
        const std::uint64_t tail = tail_.load(std::memory_order_acquire);
        const std::uint64_t begin = head_.load(std::memory_order_relaxed);
        if (begin == tail) return 0;
        // The writer gets its room back in portions: it reads `head_` from another core.
        Taken taken{head_, begin};
        while (taken.count != tail) {
            use(slots_[taken.count % capacity].envelope);
            if (++taken.count % portion == 0) taken.give_back();
        }
        return tail - begin;
    }

  private:
    static constexpr std::uint64_t capacity = 256;
    static constexpr std::uint64_t portion = 16;
    struct alignas(64) Slot {
        Envelope envelope;  // one cache line, not parts of two
    };
    struct Taken {
        std::atomic<std::uint64_t>& head;
        std::uint64_t count;
        ~Taken() { give_back(); }
        void give_back() { head.store(count, std::memory_order_release); }
    };

    static void take(Envelope& to, Envelope& from) {
        take_envelope(to, from);
        from.type = nullptr;
    }
    void put(Envelope& envelope) { take(slots_[next_++ % capacity].envelope, envelope); }
    /// Looks at the reader's line only when the room known of is used up.
    bool has_room() {
        if (next_ - head_seen_ < capacity) return true;
        head_seen_ = head_.load(std::memory_order_acquire);
        return next_ - head_seen_ < capacity;
    }

    std::unique_ptr<Slot[]> slots_ = std::make_unique<Slot[]>(capacity);
    alignas(64) std::atomic<std::uint64_t> head_{0};  // the reader's line
    alignas(64) std::atomic<std::uint64_t> tail_{0};
    alignas(64) std::uint64_t next_ = 0;  // the writer's own
    std::uint64_t shown_ = 0;
    std::uint64_t published_ = 0;
    std::uint64_t head_seen_ = 0;
    std::deque<Envelope> overflow_;
};

}  // namespace bennu::detail
