#pragma once

#include <cstddef>
#include <utility>

#include "bennu/runtime/context.hpp"

namespace bennu {

namespace detail {

/// What a shard has taken from its reactor and not handled yet; an object of the shard.
struct ReadyQueue {
    std::size_t next = 0, count = 0;  ///< in the shard's events
    bool took_all = true;             ///< nothing was left in the reactor
    bool idle = true;                 ///< the shard's last turn found nothing to do
    Instant since;                    ///< they have been ready, as near as can be known
};

}  // namespace detail

/// In `handle_io`, and in what it goes on with: when the socket became ready, as near as can be
/// known: the middle of the time in which it must have. The kernel does not tell. What a shard
/// slept for became ready when it woke: how late the machine let it wake nobody says, and there was
/// no work that anything waited behind.
inline Instant ready_since() {
    return detail::Shard::current()->local<detail::ReadyQueue>().since;
}

/// How long that was before this shard came to it. Reads the clock, since handlers before this one
/// took their time.
inline Duration readiness_waited() {
    return detail::Shard::current()->reactor().now() - ready_since();
}

/// For what became ready before, and has waited for another step since, or for another shard: it is
/// ready since then while this lives, which is no longer than a handler runs without suspending.
class ReadySince {
  public:
    explicit ReadySince(Instant since)
        : queue_(detail::Shard::current()->local<detail::ReadyQueue>()),
          outer_(std::exchange(queue_.since, since)) {}
    ReadySince(const ReadySince&) = delete;
    ReadySince& operator=(const ReadySince&) = delete;
    ~ReadySince() { queue_.since = outer_; }

  private:
    detail::ReadyQueue& queue_;
    Instant outer_;
};

}  // namespace bennu
