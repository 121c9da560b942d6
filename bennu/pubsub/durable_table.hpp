#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "bennu/pubsub/topic_log.hpp"
#include "bennu/runtime/pid.hpp"

namespace bennu::pubsub::detail {

/// Whose messages a node keeps; the same on each of its shards.
class DurablePatterns {
  public:
    void declare(std::string pattern, const DurableOptions& options);
    const DurableOptions* find(std::string_view topic) const;

  private:
    struct Pattern {
        std::string text;
        DurableOptions options;
    };
    std::vector<Pattern> patterns_;
};

/// What a table works with; default: the subscribers of this node, the adapter, and the other
/// shards.
struct DurableLinks {
    std::function<void(const Broadcast&, Pid except)> deliver;
    std::function<void(const Broadcast&)> publish;
    std::function<bool()> has_others;  ///< there may be other nodes
    std::function<const DurableOptions*(std::string_view topic)> options;
    /// Calls `answer` (on this shard) with whether somebody on this node is subscribed.
    std::function<void(const Topic&, std::function<void(bool)> answer)> in_use;
};
DurableLinks node_links();

/// The logs of the durable topics that one shard has.
class DurableTable {
  public:
    explicit DurableTable(DurableLinks links = node_links());

    /// Numbers, keeps and sends a message of this node. `object` is what `markable` gave.
    void publish(const Topic& topic, std::string event, std::string object, Pid except);
    /// A message of another node.
    void receive(const Broadcast& message);
    Resumption resume(const Topic& topic, const std::optional<Position>& seen);
    /// Messages between nodes may have been lost, in both directions.
    void lost();
    /// Forgets what is too old, and tells other nodes how far this one is.
    void sweep();
    std::size_t topics() const { return logs_.size(); }

    /// How often each shard does that while it has logs.
    static constexpr Duration sweep_every = std::chrono::seconds(2);

  private:
    /// Null: the topic is not durable.
    TopicLog* log(const Topic& topic);
    void announce(const Topic& topic, TopicLog& log);
    void retire(const Topic& topic);
    void sweep_later();

    DurableLinks links_;
    std::unordered_map<Topic, TopicLog> logs_;
    bool sweeping_ = false;
};

/// A message without an event says how far its node is, and is for nobody else.
inline bool is_announcement(const Broadcast& message) {
    return message.mark() && message.event().empty();
}

}  // namespace bennu::pubsub::detail
