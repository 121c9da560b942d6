#pragma once

#include <array>
#include <cstdint>

#include "bennu/base/time.hpp"
#include "bennu/runtime/message.hpp"

namespace bennu {

/// What becomes of a message to a full mailbox. The ends of other processes (`Down`, `Exit`) are
/// taken in any case: there is at most one for each monitor and link.
enum class Overflow : std::uint8_t {
    reject,       ///< it is dropped; a call or `send` answers `overloaded`
    drop_oldest,  ///< the oldest is dropped for it
    /// Calls and `send` wait for room, first come, first served; a cast, which cannot wait, is
    /// dropped. What waits is never overtaken by a later message of its lane.
    block,
};

/// The lane of a message type, in servers that have lanes: it says so itself, with
/// `static constexpr Priority priority = Priority::high;`. The high lane goes first, but after 8 of
/// its messages in a row a waiting normal one is served, and after 64 messages of other lanes a
/// waiting low one. Order is kept within a lane. `Down` and `Exit` are normal, so that they come
/// after what the process that ended had sent.
enum class Priority : std::uint8_t { normal, high, low };

struct MailboxOptions {
    std::uint32_t limit = 100'000;  ///< of each lane
    Overflow overflow = Overflow::reject;
    bool lanes = false;  ///< whether message types may have a priority
    /// Calls and sends that may wait for room in each lane of a mailbox that blocks; more answer
    /// `overloaded`.
    std::uint32_t waiting_limit = 1'000;
};

namespace detail {

/// What only few processes' mailboxes have: messages with a priority, senders that wait, overflow
/// to be told of. `Process::tail` is the normal lane; `Process::queues` says that there is more.
struct MailboxQueues {
    struct List {
        Message* tail = nullptr;
        std::uint32_t count = 0;

        void push(Message* message) {
            push_message(tail, message);
            ++count;
        }
        Message* pop() {
            --count;
            return pop_message(tail);
        }
    };
    List high, low;
    /// Kept aside, by lane, in the order of arrival; only while the lane is full.
    std::array<List, 3> waiting;
    /// Nothing that waits is late before that.
    Instant earliest_deadline = Instant::max();
    /// How many messages of other lanes ran since this one had to wait.
    std::uint8_t normal_passed = 0, low_passed = 0;

    Instant next_announcement;
    std::uint64_t unannounced = 0;

    std::uint32_t waiting_count() const {
        return waiting[0].count + waiting[1].count + waiting[2].count;
    }
    /// Whose turn it is, and takes note of it. At least one lane is not empty.
    Priority choose(bool normal_waits);
    /// Whether the normal lane can go on by itself.
    bool quiet() const;
};

}  // namespace detail
}  // namespace bennu
