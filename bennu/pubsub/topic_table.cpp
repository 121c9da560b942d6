#include "bennu/pubsub/topic_table.hpp"

namespace bennu::pubsub::detail {

Subscription TopicEntry::add(Subscriber subscriber) {
    Subscription subscription;
    subscription.entry_ = this;
    subscription.index_ = static_cast<std::uint32_t>(subscribers.size());
    subscriber.owner = &subscription;
    // Most topics have one subscriber; vectors would make room for more at once anyway.
    subscribers.push_back(subscriber);
    ++live;
    return subscription;
}

void TopicEntry::moved(Subscription& from, Subscription& to) {
    to.entry_ = std::exchange(from.entry_, nullptr);
    to.index_ = from.index_;
    if (to.entry_) to.entry_->subscribers[to.index_].owner = &to;
}

void TopicEntry::remove(Subscription& subscription) {
    Subscriber& place = subscribers[subscription.index_];
    --live;
    if (fan_outs > 0) {
        place = {};
        return;
    }
    Subscriber& last = subscribers.back();
    if (&place != &last) {
        place = last;
        place.owner->index_ = subscription.index_;
    }
    subscribers.pop_back();
    if (subscribers.size() * 4 < subscribers.capacity() && subscribers.capacity() > 64) {
        subscribers.shrink_to_fit();
    }
}

void TopicEntry::compact() {
    std::size_t kept = 0;
    for (Subscriber& subscriber : subscribers) {
        if (!subscriber.deliver) continue;
        subscriber.owner->index_ = static_cast<std::uint32_t>(kept);
        subscribers[kept++] = subscriber;
    }
    subscribers.resize(kept);
}

void TopicEntry::deliver(const Broadcast& broadcast, Pid except) {
    ++fan_outs;
    // Who subscribes meanwhile is not served: the message is older.
    const std::size_t count = subscribers.size();
    for (std::size_t i = 0; i < count; ++i) {
        const Subscriber& to = subscribers[i];
        if (to.deliver && (!except || to.subscriber != except)) to.deliver(to.target, broadcast);
    }
    if (--fan_outs == 0 && live != subscribers.size()) compact();
}

TopicEntry& TopicTable::entry(const Topic& topic) {
    auto found = topics_.find(topic.view());
    if (found != topics_.end()) return found->second;
    return topics_.emplace(topic.view(), TopicEntry{.topic = topic}).first->second;
}

TopicEntry* TopicTable::find(std::string_view topic) {
    auto found = topics_.find(topic);
    return found == topics_.end() ? nullptr : &found->second;
}

void TopicTable::drop_if_empty(TopicEntry& entry) {
    if (entry.live > 0 || entry.fan_outs > 0) return;
    Topic kept = entry.topic;  // the key views into the entry's text
    topics_.erase(kept.view());
}

}  // namespace bennu::pubsub::detail
