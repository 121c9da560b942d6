#include "bennu/runtime/launcher/restart_policy.hpp"

#include <algorithm>

namespace bennu {

RestartPolicy::Decision RestartPolicy::ended(Instant started, Instant ended) {
    if (ended - started >= options_.give_up_after) {
        failing_since_ = Instant::max();
        delays_ = 0;
    }
    failing_since_ = std::min(failing_since_, started);
    recent_.push_back(ended);
    while (recent_.front() < ended - options_.window) recent_.pop_front();
    if (recent_.size() <= options_.at_once) {
        // Calm again: the next storm starts from the shortest delay.
        if (recent_.size() == 1) delays_ = 0;
        return {};
    }
    if (delays_ > 0 && ended - failing_since_ >= options_.give_up_after) return {.give_up = true};
    Duration delay = options_.first_delay * (1LL << std::min(delays_, 20U));
    delay = std::min(delay, options_.max_delay);
    ++delays_;
    return {.delay = Duration(static_cast<std::int64_t>(static_cast<double>(delay.count()) *
                                                        (0.75 + random_.uniform() / 2)))};
}

}  // namespace bennu
