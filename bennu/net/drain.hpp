#pragma once

#include <cstddef>
#include <cstdint>

#include "bennu/base/random.hpp"
#include "bennu/base/time.hpp"

namespace bennu::net {

/// How a server that stops ends its sockets: in batches, so that not everybody connects to the next
/// server at once; and how long it waits for those who ask nothing.
struct DrainOptions {
    /// Sockets of the whole server at a time; larger batches where that would take over ten
    /// seconds.
    std::uint32_t batch = 10'000;
    /// Until the next batch, at most: at least half of it, different each time and on each shard.
    /// Zero: all at once.
    Duration pause = std::chrono::seconds(2);
    /// A connection of HTTP/1.1 without a request is kept so long: its client, often a proxy with
    /// work to do, may have begun to send the next one, which is still answered.
    Duration silence = std::chrono::seconds(1);
};

/// The batches of one shard.
class DrainPace {
  public:
    DrainPace(DrainOptions options, std::size_t sockets, unsigned shards);

    std::size_t batch() const { return batch_; }
    /// How long until the next one.
    Duration pause(Random& random) const;

  private:
    std::size_t batch_;
    Duration pause_;
};

}  // namespace bennu::net
