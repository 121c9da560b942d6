#pragma once

#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "bennu/base/time.hpp"
#include "bennu/runtime/pid.hpp"
#include "bennu/runtime/pool.hpp"

namespace bennu {
enum class Priority : std::uint8_t;
}

namespace bennu::detail {

class Shard;
struct Process;

/// Where an answer goes: an entry of the wait table of one shard. Generation 0: nobody waits.
struct ReplyTo {
    std::uint32_t index = 0;
    std::uint32_t generation : 24 = 0;
    std::uint32_t shard : 8 = 0;
    explicit operator bool() const { return generation != 0; }
};
static_assert(sizeof(ReplyTo) == 8);

/// The operations of one message type for one receiver type: a table per (server, message) pair,
/// made by the sender's instantiation, so that nothing needs registration.
struct MessageType {
    /// Runs the handler with the payload, which it moves from; the caller destroys it afterwards.
    void (*run)(Shard&, Process*, void* payload, ReplyTo reply, Instant deadline);
    void (*destroy)(void* payload);
    void (*move)(void* to, void* from);  ///< constructs at `to`, destroys at `from`
    std::uint32_t size;
    bool system;  ///< handled on arrival by the shard itself, not by a mailbox
    const char* name;
    bool trivial = false;    ///< the payload may be copied bytewise and needs no destruction
    Priority priority{};     ///< the lane, when its receiver has lanes
    bool admission = false;  ///< `reply` is for a sender that waits until this is in the mailbox
    bool signal = false;     ///< never refused: the end of a process, the start of this one
    /// Not simply the next of the normal lane.
    bool special = priority != Priority{} || admission;
};

inline constexpr std::size_t inline_payload = 32;

/// A message on its way: 64 bytes, copied bytewise between mailboxes and the rings that join
/// shards. A payload over 32 bytes is boxed by the code that makes the message (see `Boxed`).
struct Envelope {
    const MessageType* type = nullptr;
    Pid to;
    ReplyTo reply;
    Instant deadline;  ///< of the caller; default: none
    alignas(8) std::byte payload[inline_payload];
};
static_assert(sizeof(Envelope) == 64);

/// Copies `count` words one by one. An envelope is taken right after it was written, word by word,
/// and a wide load from words that still stand in the store buffer waits until all of them, and
/// all that was stored before them, have left it: between shards that is a cache miss.
[[gnu::always_inline]] inline void copy_words(void* to, const void* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t word;
        std::memcpy(&word, static_cast<const std::byte*>(from) + i * 8, 8);
        asm("" : "+r"(word));  // keeps the compiler from making wide ones of them again
        std::memcpy(static_cast<std::byte*>(to) + i * 8, &word, 8);
    }
}

/// Takes over an envelope: its payload lives in `to` from now on.
[[gnu::always_inline]] inline void take_envelope(Envelope& to, Envelope& from) {
    constexpr std::size_t header = (sizeof(Envelope) - inline_payload) / 8;
    const MessageType* type = from.type;
    copy_words(&to, &from, header);
    if (type->trivial) {
        copy_words(to.payload, from.payload, (type->size + 7) / 8);
    } else {
        type->move(to.payload, from.payload);
    }
}

/// A mailbox node: owned by the shard of its receiver.
struct Message : Pooled {
    Message* next = nullptr;
    Envelope envelope;
};

/// A queue of messages is a circle, held by its newest: `tail->next` is the oldest.
inline void push_message(Message*& tail, Message* message) {
    if (tail) {
        message->next = tail->next;
        tail->next = message;
    } else {
        message->next = message;
    }
    tail = message;
}
/// Not of an empty queue.
inline Message* pop_message(Message*& tail) {
    Message* oldest = tail->next;
    if (oldest == tail) {
        tail = nullptr;
    } else {
        tail->next = oldest->next;
    }
    return oldest;
}
inline void destroy_message(Message* message) {
    Envelope& envelope = message->envelope;
    if (!envelope.type->trivial) envelope.type->destroy(envelope.payload);
    delete message;
}

/// Holds any payload type in 32 bytes: in place when it fits and moves without throwing, else on
/// the heap.
template <typename M>
struct Boxed {
    static constexpr bool in_place =
        sizeof(M) <= inline_payload && alignof(M) <= 8 && std::is_nothrow_move_constructible_v<M>;

    /// Bytes are all there is to it. A boxed payload moves as its pointer, but must be destroyed.
    static constexpr bool trivial = in_place && std::is_trivially_copyable_v<M>;

    static M& get(void* payload) {
        if constexpr (in_place) {
            return *std::launder(static_cast<M*>(payload));
        } else {
            return **static_cast<M**>(payload);
        }
    }
    static void make(void* payload, M&& value) {
        if constexpr (in_place) {
            new (payload) M(std::move(value));
        } else {
            *static_cast<M**>(payload) = new M(std::move(value));
        }
    }
    static void destroy(void* payload) {
        if constexpr (in_place) {
            get(payload).~M();
        } else {
            delete &get(payload);
        }
    }
    static void move(void* to, void* from) {
        if constexpr (in_place) {
            new (to) M(std::move(get(from)));
            get(from).~M();
        } else {
            *static_cast<M**>(to) = *static_cast<M**>(from);
        }
    }
};

}  // namespace bennu::detail
