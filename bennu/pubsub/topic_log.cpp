#include "bennu/pubsub/topic_log.hpp"

#include <algorithm>

#include "bennu/pubsub/mark.hpp"

namespace bennu::pubsub::detail {

namespace {

/// The text, and about as much for a frame made of it.
std::size_t cost(const Broadcast& message) {
    return 256 + 2 * (message.data().size() + message.event().size());
}

}  // namespace

TopicLog::TopicLog(DurableOptions options) : options_(options) {
    renew();
}

void TopicLog::renew() {
    std::erase_if(epochs_, [this](const Epoch& e) { return e.name == own_ && e.last == 0; });
    own_ = new_epoch();
    epochs_.push_back({.name = own_});
}

TopicLog::Epoch* TopicLog::find(std::string_view name) {
    auto found = std::ranges::find(epochs_, name, &Epoch::name);
    return found == epochs_.end() ? nullptr : &*found;
}
const TopicLog::Epoch* TopicLog::find(std::string_view name) const {
    return const_cast<TopicLog*>(this)->find(name);
}

TopicLog::Epoch& TopicLog::add(std::string name, Instant at) {
    // Those that were silent for longest make room. Who has not seen all of them could not tell.
    bool forgot = false;
    while (epochs_.size() >= max_epochs) {
        auto oldest = std::ranges::min_element(epochs_, {}, [this](const Epoch& epoch) {
            return epoch.name == own_ ? Instant::max() : epoch.at;
        });
        forgot = forgot || !oldest->lapsed;
        epochs_.erase(oldest);
    }
    if (forgot) {
        unsure_ = true;
        renew();
    }
    return epochs_.emplace_back(Epoch{.name = std::move(name), .at = at});
}

Mark TopicLog::next() const {
    return {own_, find(own_)->last + 1};
}

void TopicLog::append(const Broadcast& own, Instant at) {
    Epoch& epoch = *find(own.mark().epoch);
    epoch.last = own.mark().sequence;
    epoch.at = at;
    keep(own, at);
}

void TopicLog::announce(Instant first) {
    announce_after_ = first_announcement;
    announce_at_ = first;
}

std::vector<Mark> TopicLog::announcements(Instant at) {
    if (at < announce_at_) return {};
    announce_after_ *= 2;
    announce_at_ = at + announce_after_;
    std::vector<Mark> marks = ended_;
    if (Mark now = next(); --now.sequence > 0) marks.push_back(std::move(now));
    if (announce_after_ > last_announcement) {
        announce_at_ = Instant::max();
        ended_.clear();
    }
    return marks;
}

TopicLog::Arrival TopicLog::arrive(const Broadcast& message, Instant at) {
    const Mark& mark = message.mark();
    Epoch* epoch = find(mark.epoch);
    if (epoch && mark.sequence <= epoch->last) return Arrival::known;
    const bool next = mark.sequence == (epoch ? epoch->last : 0) + 1;
    if (!epoch) epoch = &add(mark.epoch, at);
    if (!next || epoch->lapsed) epoch->heard = epoch->first = mark.sequence;
    epoch->lapsed = false;
    epoch->last = mark.sequence;
    epoch->at = at;
    keep(message, at);
    return next ? Arrival::next : Arrival::gap;
}

bool TopicLog::hear(const Mark& mark, Instant at) {
    Epoch* epoch = find(mark.epoch);
    if (epoch && mark.sequence <= epoch->last) return false;
    if (!epoch) epoch = &add(mark.epoch, at);
    epoch->lapsed = false;
    epoch->heard = epoch->first = mark.sequence + 1;
    epoch->last = mark.sequence;
    epoch->at = at;
    return true;
}

void TopicLog::lose() {
    if (Mark last = next(); --last.sequence > 0) {
        if (ended_.size() >= max_epochs) ended_.erase(ended_.begin());
        ended_.push_back(std::move(last));
    }
    std::erase_if(epochs_,
                  [this](const Epoch& epoch) { return epoch.lapsed || epoch.name == own_; });
    for (Epoch& epoch : epochs_) epoch.lapsed = true;
    entries_.clear();
    bytes_ = 0;
    unsure_ = true;
    renew();
}

Position TopicLog::position() const {
    Position position;
    for (const Epoch& epoch : epochs_) {
        if (!epoch.lapsed && (epoch.last > 0 || epoch.name == own_))
            position.emplace(epoch.name, epoch.last);
    }
    return position;
}

Position TopicLog::position_before(const Mark& mark) const {
    Position before = position();
    before[mark.epoch] = mark.sequence - 1;
    return before;
}

bool TopicLog::has_all_since(const Position& seen) const {
    bool was_here = seen.contains(own_);
    if (unsure_ && !was_here) return false;
    for (const auto& [name, sequence] : seen) {
        const Epoch* epoch = find(name);
        const bool known = epoch && !epoch->lapsed;
        if (sequence > (known ? epoch->last : 0)) return false;
        was_here = was_here || (known && sequence >= epoch->heard);
    }
    if (!was_here) return false;
    return std::ranges::all_of(epochs_, [&](const Epoch& epoch) {
        auto at = seen.find(epoch.name);
        return epoch.lapsed || (at == seen.end() ? 0 : at->second) + 1 >= epoch.first;
    });
}

Resumption TopicLog::resume(const std::optional<Position>& seen, Instant at) {
    trim(at);
    used = at;
    if (!seen) return {.kind = Resumption::Kind::fresh, .position = position(), .missed = {}};
    if (!has_all_since(*seen))
        return {.kind = Resumption::Kind::resync, .position = position(), .missed = {}};
    Resumption resumption{.kind = Resumption::Kind::resumed, .position = position(), .missed = {}};
    for (auto& [name, sequence] : resumption.position) {
        auto was = seen->find(name);
        sequence = was == seen->end() ? 0 : was->second;
    }
    for (const Entry& entry : entries_) {
        const Mark& mark = entry.message.mark();
        auto from = resumption.position.find(mark.epoch);
        if (from != resumption.position.end() && mark.sequence > from->second)
            resumption.missed.push_back(entry.message);
    }
    return resumption;
}

void TopicLog::keep(const Broadcast& message, Instant at) {
    used = at;
    entries_.push_back({message, at});
    bytes_ += cost(message);
    trim(at);
}

void TopicLog::trim(Instant at) {
    while (!entries_.empty() && (entries_.size() > options_.keep || bytes_ > options_.max_bytes ||
                                 at - entries_.front().at >= options_.keep_for))
        drop_front();
    if (entries_.empty()) entries_.shrink_to_fit();
}

void TopicLog::drop_front() {
    const Broadcast& message = entries_.front().message;
    const Mark& mark = message.mark();
    Epoch* epoch = find(mark.epoch);
    if (epoch && mark.sequence >= epoch->first) epoch->first = mark.sequence + 1;
    bytes_ -= cost(message);
    entries_.pop_front();
}

}  // namespace bennu::pubsub::detail
