#include "bennu/channel/trouble.hpp"

#include <array>

#include "bennu/runtime/log_bound.hpp"

namespace bennu::phoenix {

namespace {

struct Bounds {
    std::array<LogBound, static_cast<std::size_t>(Trouble::too_long) + 1> of;
};

}  // namespace

std::optional<std::uint64_t> bounded(Trouble kind) {
    if (!on_shard()) return 0;
    return shard_local<Bounds>().of[static_cast<std::size_t>(kind)].next();
}

}  // namespace bennu::phoenix
