#include "bennu/net/drain.hpp"

#include <algorithm>

namespace bennu::net {

namespace {

constexpr Duration longest = std::chrono::seconds(10);
/// Who stops looks that often whether a batch is due, or a little more often.
constexpr Duration shortest = std::chrono::milliseconds(50);

/// How many batches fit into that time.
std::size_t most_batches(Duration pause) {
    if (pause <= Duration::zero()) return 1;
    return std::max<std::size_t>(1, static_cast<std::size_t>(longest / std::max(pause, shortest)));
}

}  // namespace

DrainPace::DrainPace(DrainOptions options, std::size_t sockets, unsigned shards)
    : batch_(std::max({std::size_t{1}, options.batch / std::size_t{std::max(shards, 1U)},
                       (sockets + most_batches(options.pause) - 1) / most_batches(options.pause)})),
      pause_(std::clamp(options.pause, Duration::zero(), longest)) {}

Duration DrainPace::pause(Random& random) const {
    const auto half = static_cast<std::uint64_t>((pause_ / 2).count());
    return pause_ / 2 + Duration(half > 0 ? static_cast<Duration::rep>(random.below(half)) : 0);
}

}  // namespace bennu::net
