#pragma once

#include <memory>
#include <string_view>

#include "bennu/pubsub/adapter.hpp"
#include "bennu/pubsub/broadcast.hpp"
#include "bennu/pubsub/durable.hpp"
#include "bennu/runtime/process.hpp"

/// Publish and subscribe. Each shard has its own table of topics, so that subscribing and
/// delivering touch nothing that is shared; a broadcast is encoded once and posted once to each
/// other shard. What one publisher sends arrives in its order. All functions run on a shard.
namespace bennu::pubsub {

namespace detail {
struct TopicEntry;
/// Hands one message to one subscriber; must not subscribe or unsubscribe.
using Deliver = void (*)(Pid target, const Broadcast& broadcast);
}  // namespace detail

/// Keeps a subscription alive: a member of the server that receives the messages, so that it ends
/// with the process, however that ends, without a monitor. Stays on its shard.
class [[nodiscard]] Subscription {
  public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { reset(); }
    /// Unsubscribes.
    void reset();
    explicit operator bool() const { return entry_ != nullptr; }

  private:
    friend struct detail::TopicEntry;
    detail::TopicEntry* entry_ = nullptr;
    std::uint32_t index_ = 0;
};

namespace detail {
Subscription subscribe(const Topic& topic, Pid subscriber, Pid target, Deliver deliver);
}

/// Broadcasts on the topic go to `handle(Broadcast)` of a server of this shard.
///
///     struct Feed : Server {
///         void handle(Broadcast message);
///         pubsub::Subscription assets = pubsub::subscribe(Ref<Feed>(self()), "assets:demo");   //
///         in init()
///     };
template <typename S>
Subscription subscribe(Ref<S> subscriber, const Topic& topic) {
    return detail::subscribe(
        topic, subscriber.pid(), subscriber.pid(),
        [](Pid to, const Broadcast& broadcast) { cast(Ref<S>(to), broadcast); });
}

/// For transports: `deliver` is called in place with `target` and each message, outside of any
/// process, instead of sending it to a mailbox. `subscriber` is whom `broadcast_from` leaves out.
Subscription subscribe_fastlane(const Topic& topic, Pid subscriber, Pid target,
                                detail::Deliver deliver);

/// To every subscriber, on every shard and (through the adapter) every node. On a durable topic
/// (`pubsub/durable.hpp`) the message takes its turn among all that this node publishes there.
void broadcast(const Topic& topic, std::string_view event, const Payload& payload = {});
/// As `broadcast`, but not to this subscriber.
void broadcast_from(Pid subscriber, const Topic& topic, std::string_view event,
                    const Payload& payload = {});
/// To the subscribers on one other node, by the `own_node` that it told; 0: as `broadcast`. Where
/// the adapter cannot tell nodes apart, to those on every other one. A node that is gone gets
/// nothing.
void direct_broadcast(std::uint64_t node, const Topic& topic, std::string_view event,
                      const Payload& payload = {});
/// To the subscribers on this node only.
void local_broadcast(const Topic& topic, std::string_view event, const Payload& payload = {});
void local_broadcast(const Broadcast& broadcast, Pid except = {});

/// The text that this shard's subscribers of the topic share, or a new one.
Topic intern(std::string_view topic);
/// Subscribers on this shard.
std::size_t subscriber_count(std::string_view topic);

/// Where a server learns (`subscribe`, event `gap`) that broadcasts of other nodes may have been
/// lost: what it shows should be read again.
inline constexpr std::string_view gap_topic = "pubsub:gap";

/// Through the adapter, if there is one: see `PubSubAdapter::send`.
void send_to_node(std::uint64_t node, std::string message);

/// From now on broadcasts go through the adapter too, from every shard. Null: local only.
void use_adapter(std::shared_ptr<PubSubAdapter> adapter);
/// Whether there may be other nodes.
bool has_adapter();
/// What others may give to `direct_broadcast` to reach this node: another number after each start.
/// 0: the adapter cannot tell nodes apart, or there is none.
std::uint64_t own_node();

}  // namespace bennu::pubsub
