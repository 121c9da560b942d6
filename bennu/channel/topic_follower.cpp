#include "bennu/channel/topic_follower.hpp"

namespace bennu::phoenix {

namespace {

TopicFollower* follower_of(Pid pid) {
    return local_body(Ref<TopicFollower>(pid));
}

std::string id_of(const pubsub::Position& position) {
    return position.empty() ? std::string() : to_json(pubsub::to_json_value(position));
}

}  // namespace

bool TopicQueue::is_slow() const {
    return options_->outbox.policy != OutboxOptions::Policy::disconnect &&
           bytes_ > options_->outbox.slow_bytes;
}

void TopicQueue::take(const Broadcast& message) {
    // Server-sent events are lines of text.
    const bool fits =
        message.event().find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
    if (over_ || message.is_binary() || !fits) return;
    // Where the reader stands, it has to know in any case.
    if (message.event() == pubsub::resync_event) {
        if (auto position = pubsub::read_position(message.payload()["position"]))
            return tell(pubsub::resync_event, *position);
    }
    if (options_->shows && !options_->shows(message)) return;
    if (!loses_ && !kept_ && !is_slow()) return push({.message = message, .position = {}});
    if (options_->outbox.policy == OutboxOptions::Policy::resync) {
        loses_ = true;
        return;
    }
    if (!kept_) kept_ = std::make_unique<SlowClient>(options_->outbox);
    if (kept_->hold({message, {}})) return;
    over_ = true;
    news.notify();
}

void TopicQueue::tell(std::string_view event, const pubsub::Position& position) {
    push({.message = Broadcast(Topic(), event, pubsub::resync_payload(position)),
          .position = position});
}

void TopicQueue::push(Item item) {
    bytes_ += item.message.data().size();
    items_.push_back(std::move(item));
    over_ = over_ || bytes_ > options_->outbox.max_bytes;
    news.notify();
}

void TopicQueue::release() {
    if (!kept_) return;
    std::list<HeldMessage> held = kept_->take();
    kept_.reset();
    for (HeldMessage& one : held) push({.message = std::move(one.message), .position = {}});
}

std::optional<ServerEvent> TopicQueue::next() {
    if (items_.empty()) return std::nullopt;
    Item item = std::move(items_.front());
    items_.pop_front();
    if (items_.empty()) items_.shrink_to_fit();
    bytes_ -= item.message.data().size();
    const Mark& mark = item.message.mark();
    if (item.position) position_ = *std::move(item.position);
    if (mark) position_[mark.epoch] = mark.sequence;
    return ServerEvent{.data = std::string(item.message.data()),
                       .event = std::string(item.message.event()),
                       .id = id_of(position_)};
}

void TopicFollower::handle(Begin) {
    me_ = self();
    pubsub::resume(topic_, std::move(seen_), [pid = self()](const pubsub::Resumption& told) {
        if (TopicFollower* follower = follower_of(pid)) follower->begin(told);
    });
}

void TopicFollower::begin(const pubsub::Resumption& told) {
    using Kind = pubsub::Resumption::Kind;
    if (told.kind == Kind::resumed) {
        queue_->start_at(told.position);
    } else if (pubsub::is_durable(topic_)) {
        queue_->tell(told.kind == Kind::fresh ? "position" : pubsub::resync_event, told.position);
    }
    for (const Broadcast& missed : told.missed) queue_->take(missed);
    subscription_ =
        pubsub::subscribe_fastlane(topic_, me_, me_, [](Pid to, const Broadcast& message) {
            if (TopicFollower* follower = follower_of(to)) follower->receive(message);
        });
}

void TopicFollower::handle(Drained) {
    queue_->release();
    if (!queue_->loses() || std::exchange(asked_, true)) return;
    pubsub::resume(topic_, std::nullopt, [pid = self()](const pubsub::Resumption& now) {
        if (TopicFollower* follower = follower_of(pid)) follower->resynced(now.position);
    });
}

/// From here on it gets everything again.
void TopicFollower::resynced(const pubsub::Position& position) {
    asked_ = false;
    queue_->loses_no_more();
    queue_->tell(pubsub::resync_event, position);
}

}  // namespace bennu::phoenix
