#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bennu/pubsub/pubsub.hpp"

namespace bennu::pubsub::detail {

/// One subscription. An empty `deliver` marks a place that was given up during a fan-out.
struct Subscriber {
    Pid subscriber;
    Pid target;
    Deliver deliver = nullptr;
    Subscription* owner = nullptr;
};

/// A topic's subscribers on one shard. Lives as long as it has any.
struct TopicEntry {
    Topic topic;
    std::vector<Subscriber> subscribers;
    std::uint32_t live = 0;
    std::uint32_t fan_outs = 0;  ///< in progress: places must not move

    Subscription add(Subscriber subscriber);
    void remove(Subscription& subscription);
    void deliver(const Broadcast& broadcast, Pid except);
    static void moved(Subscription& from, Subscription& to);

  private:
    void compact();
};

/// The topics of one shard.
class TopicTable {
  public:
    TopicEntry& entry(const Topic& topic);
    TopicEntry* find(std::string_view topic);
    void drop_if_empty(TopicEntry& entry);

    std::shared_ptr<PubSubAdapter> adapter;

  private:
    std::unordered_map<std::string_view, TopicEntry> topics_;  // keys view into the entry's topic
};

}  // namespace bennu::pubsub::detail
