#include "apps/assetronics/lib/ops/sampler.hpp"

#include <algorithm>

#include "apps/assetronics/lib/ops/totals.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::ops {

using namespace bennu;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t listed_children = 50;  ///< of one supervisor
/// A sign of life is asked for again after this time: the first may have met a full mailbox.
constexpr Duration ask_again = 2s;
/// Counting all processes takes at most one part in this many of the time.
constexpr int totals_share = 20;

}  // namespace

Task<Payload> Sampler::handle(Watch message) {
    if (!viewers_.contains(message.viewer)) viewers_[message.viewer] = monitor(message.viewer);
    if (!ticking_) {
        ticking_ = true;
        co_await look();
        told_ = picture_.rows();
        (void)history_.take_news();
        ++seq_;
        send_after(Ref<Sampler>(self()), Tick{}, tick);
    }
    co_return everything();
}

Task<Payload> Sampler::handle(Everything) {
    co_return everything();
}

Payload Sampler::everything() const {
    TreeSeen all{.seq = seq_, .processes = {}, .restarts = history_.rows(), .totals = totals_};
    for (const Picture::Seen& seen : told_) all.processes.push_back(seen.row);
    return all;
}

Task<> Sampler::handle(Tick) {
    const Instant began = now();
    if (viewers_.empty()) {
        ticking_ = false;
        asked_.clear();
        answered_.clear();
        beats_.clear();
        co_return;
    }
    co_await look();
    note_runs_of_coroutines();
    Difference changed = difference(told_, picture_.rows());
    TreeChanges news{.seq = ++seq_,
                     .beats = std::exchange(beats_, {}),
                     .added = std::move(changed.added),
                     .changed = Json(std::move(changed.changed)),
                     .removed = std::move(changed.removed),
                     .restarts = history_.take_news(),
                     .totals = {}};
    if (std::exchange(totals_new_, false)) news.totals = totals_;
    pubsub::broadcast(std::string(topic), "changes", news);
    told_ = picture_.rows();
    ask_for_beats();
    send_after(Ref<Sampler>(self()), Tick{}, std::max(tick - (now() - began), Duration(1ms)));
}

Task<> Sampler::look() {
    picture_.look(co_await supervision_tree({.max_children = listed_children}), wall_now(),
                  answered_);
    history_.look(co_await restart_history());
    if (now() >= totals_due_) co_await look_at_totals();
}

Task<> Sampler::look_at_totals() {
    const Instant began = now();
    totals_ = totals_of(co_await bennu::runtime::snapshot({.top = 12}));
    totals_new_ = true;
    totals_due_ = now() + std::max(Duration(1s), totals_share * (now() - began));
}

void Sampler::ask_for_beats() {
    ++pings_;
    const Instant at = now();
    std::vector<Pid> ask;
    std::unordered_map<Pid, Asked> asked;
    Picture::Watched answered;
    keys_.clear();
    for (const Picture::Seen& seen : told_) {
        if (!seen.pid || !seen.row.answers) continue;
        keys_[seen.pid] = seen.row.key;
        answered[seen.pid] = answered_[seen.pid];
        Asked& entry = asked[seen.pid] = asked_[seen.pid];
        if (entry.number != 0 && at - entry.at < ask_again) continue;
        entry = {pings_, at};
        ask.push_back(seen.pid);
    }
    asked_ = std::move(asked);
    answered_ = std::move(answered);
    runtime::ping(std::move(ask), Ref<Sampler>(self()), pings_);
}

void Sampler::handle(runtime::Pong pong) {
    const auto asked = asked_.find(pong.pid);
    const auto key = keys_.find(pong.pid);
    if (asked == asked_.end() || key == keys_.end()) return;
    ++answered_[pong.pid];
    if (asked->second.number != pong.number) return;
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(pong.at - asked->second.at);
    beats_.push_back({key->second, std::max<std::int64_t>(took.count(), 0)});
    asked->second.number = 0;
}

void Sampler::note_runs_of_coroutines() {
    for (const Picture::Seen& seen : picture_.rows()) {
        if (seen.row.answers) continue;
        for (const Picture::Seen& before : told_) {
            if (before.pid == seen.pid && before.row.runs != seen.row.runs)
                beats_.push_back({seen.row.key, 0});
        }
    }
}

}  // namespace assetronics::ops
