#pragma once

#include "bennu/runtime/supervisor.hpp"

namespace assetronics::ops {

inline constexpr std::string_view practice_name = "practice";

/// A subtree for drills: eight counters, four of which stand alone (`one_for_one`) and four in a
/// line (`rest_for_one`), and a metronome that gives each of them something to do four times a
/// second. They live on all shards in turn.
bennu::ChildSpec child_practice();

}  // namespace assetronics::ops
