#include "bennu/runtime/supervisor/restart_meter.hpp"

#include <algorithm>
#include <cmath>

namespace bennu::detail {

bool RestartMeter::spend(const RestartBudget& budget, Instant now) {
    auto counts = std::find_if(recent_.begin(), recent_.end(),
                               [&](Instant at) { return now - at <= budget.within; });
    recent_.erase(recent_.begin(), counts);
    recent_.push_back(now);
    return recent_.size() <= budget.restarts;
}

unsigned RestartMeter::left(const RestartBudget& budget, Instant now) const {
    auto used = static_cast<unsigned>(std::count_if(
        recent_.begin(), recent_.end(), [&](Instant at) { return now - at <= budget.within; }));
    return budget.restarts - std::min(used, budget.restarts);
}

Duration restart_delay(const RestartBudget& budget, unsigned in_a_row, Random& random) {
    if (in_a_row <= 1) return Duration::zero();
    double delay = std::ldexp(static_cast<double>(budget.backoff.count()),
                              static_cast<int>(std::min(in_a_row, 62U)) - 2);
    delay = std::min(delay, static_cast<double>(budget.max_backoff.count()));
    double kept = 1.0 - std::clamp(budget.jitter, 0.0, 1.0) * random.uniform();
    return Duration(static_cast<std::int64_t>(delay * kept));
}

}  // namespace bennu::detail
