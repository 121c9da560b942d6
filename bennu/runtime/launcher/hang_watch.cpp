#include "bennu/runtime/launcher/hang_watch.hpp"

#include <algorithm>

#include "bennu/runtime/launcher/node_page.hpp"

namespace bennu {

using namespace std::chrono_literals;

Duration HangLimits::look_every() const {
    return std::clamp<Duration>(warn_after / 4, 10ms, 250ms);
}

HangWatch::Finding HangWatch::look(Instant now, std::span<const std::int64_t> beats, bool halted) {
    Duration passed = std::min(now - looked_, 2 * limits_.look_every());
    if (looked_ == Instant{} || halted) passed = Duration::zero();
    looked_ = now;
    shards_.resize(std::max(shards_.size(), beats.size()));
    Finding worst;
    for (std::size_t i = 0; i < beats.size(); ++i) {
        Seen& seen = shards_[i];
        const bool moving = beats[i] != seen.beat || beats[i] == 0 || beats[i] == NodePage::asleep;
        seen.held = moving ? Duration::zero() : seen.held + passed;
        seen.beat = beats[i];
        if (seen.held > worst.held) worst = {.shard = i, .held = seen.held};
    }
    using Kind = Finding::Kind;
    worst.kind = worst.held >= limits_.kill_after    ? Kind::immovable
                 : worst.held >= limits_.abort_after ? Kind::hangs
                 : worst.held >= limits_.warn_after  ? Kind::slow
                                                     : Kind::fine;
    const bool news = worst.kind > told_;
    told_ = worst.kind;
    if (!news) worst.kind = Kind::fine;
    return worst;
}

}  // namespace bennu
