#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "bennu/channel/slow_client.hpp"
#include "bennu/channel/topic_stream.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/signal.hpp"

namespace bennu::phoenix {

/// What waits for one reader of a topic's events, between the follower that fills it and the stream
/// that writes it; both are of one shard.
class TopicQueue {
  public:
    explicit TopicQueue(std::shared_ptr<const TopicStreamOptions> options)
        : options_(std::move(options)) {}

    /// A broadcast, as the policy has it.
    void take(const Broadcast& message);
    /// An event that says where the reader stands.
    void tell(std::string_view event, const pubsub::Position& position);
    /// The reader has begun behind this.
    void start_at(pubsub::Position position) { position_ = std::move(position); }
    /// The next event; nothing when none waits.
    std::optional<ServerEvent> next();

    /// More waited than may.
    bool over() const { return over_; }
    /// The reader is slow, and messages are being dropped.
    bool loses() const { return loses_; }
    /// Something is to be done for the reader once it has read everything.
    bool owes() const { return loses_ || kept_; }
    void loses_no_more() { loses_ = false; }
    /// Moves what was kept for a slow reader to the queue.
    void release();

    bennu::detail::Signal news;

  private:
    struct Item {
        Broadcast message;
        std::optional<pubsub::Position> position;
    };
    void push(Item item);
    bool is_slow() const;

    std::shared_ptr<const TopicStreamOptions> options_;
    std::deque<Item> items_;
    std::size_t bytes_ = 0;
    pubsub::Position position_;
    std::unique_ptr<SlowClient> kept_;  ///< only under `coalesce`, and while it is slow
    bool loses_ = false;
    bool over_ = false;
};

/// Subscribes on behalf of one stream: a process, so that broadcasts can be handed to it in place.
class TopicFollower : public Server {
  public:
    TopicFollower(Topic topic, std::optional<pubsub::Position> seen,
                  std::shared_ptr<TopicQueue> queue)
        : topic_(std::move(topic)), seen_(std::move(seen)), queue_(std::move(queue)) {}

    struct Begin {};
    /// Nothing waits for the reader.
    struct Drained {};
    void handle(Begin);
    void handle(Drained);
    void begin(const pubsub::Resumption& told);
    void receive(const Broadcast& message) { queue_->take(message); }
    void resynced(const pubsub::Position& position);

  private:
    Pid me_;
    Topic topic_;
    std::optional<pubsub::Position> seen_;
    std::shared_ptr<TopicQueue> queue_;
    pubsub::Subscription subscription_;
    bool asked_ = false;
};

}  // namespace bennu::phoenix
