#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "bennu/runtime/context.hpp"

namespace bennu {

/// Bounds a log line that others can cause as often as they like: one a second, of each object of
/// this type. One of a shard's own (`shard_local`) bounds the line on that shard.
class LogBound {
  public:
    /// How many lines were left out since the last one; nothing: leave this one out, too. Outside
    /// of a runtime none is left out.
    std::optional<std::uint64_t> next() {
        if (!on_shard()) return 0;
        if (last_ && now() - *last_ < at_most_every) {
            ++left_out_;
            return std::nullopt;
        }
        last_ = now();
        return std::exchange(left_out_, 0);
    }

  private:
    static constexpr Duration at_most_every = std::chrono::seconds(1);
    std::optional<Instant> last_;
    std::uint64_t left_out_ = 0;
};

}  // namespace bennu
