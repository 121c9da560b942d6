#include "bennu/pubsub/pubsub.hpp"

#include "bennu/pubsub/durable_table.hpp"
#include "bennu/pubsub/mark.hpp"
#include "bennu/pubsub/node_shards.hpp"
#include "bennu/pubsub/topic_owner.hpp"
#include "bennu/pubsub/topic_table.hpp"

namespace bennu::pubsub {

namespace {

detail::TopicTable& table() {
    return shard_local<detail::TopicTable>();
}

void deliver_here(const Broadcast& broadcast, Pid except) {
    detail::TopicEntry* entry = table().find(broadcast.topic());
    if (!entry) return;
    entry->deliver(broadcast, except);
    table().drop_if_empty(*entry);
}

void publish(const Broadcast& broadcast, Pid except) {
    local_broadcast(broadcast, except);
    if (table().adapter) table().adapter->publish(broadcast);
}

/// The owner of the topic gives it its number and its turn.
void publish_durable(const Topic& topic, std::string_view event, const Payload& payload,
                     Pid except) {
    std::optional<std::string> object;
    if (!payload.is_binary()) {
        std::string text;
        payload.write(text);
        object = markable(std::move(text));
    }
    if (object) {
        detail::on_owner(topic, [topic, event = std::string(event), object = *std::move(object),
                                 except]() mutable {
            shard_local<detail::DurableTable>().publish(topic, std::move(event), std::move(object),
                                                        except);
        });
    } else {
        detail::on_owner(
            topic, [plain = Broadcast(topic, event, payload), except] { publish(plain, except); });
    }
}

void publish(const Topic& topic, std::string_view event, const Payload& payload, Pid except) {
    if (is_durable(topic)) [[unlikely]]
        return publish_durable(topic, event, payload, except);
    publish(Broadcast(topic, event, payload), except);
}

}  // namespace

Subscription::Subscription(Subscription&& other) noexcept {
    detail::TopicEntry::moved(other, *this);
}

Subscription& Subscription::operator=(Subscription&& other) noexcept {
    if (this != &other) {
        reset();
        detail::TopicEntry::moved(other, *this);
    }
    return *this;
}

void Subscription::reset() {
    detail::TopicEntry* entry = std::exchange(entry_, nullptr);
    if (!entry) return;
    entry->remove(*this);
    table().drop_if_empty(*entry);
}

namespace detail {
Subscription subscribe(const Topic& topic, Pid subscriber, Pid target, Deliver deliver) {
    return table().entry(topic).add(
        {.subscriber = subscriber, .target = target, .deliver = deliver});
}
}  // namespace detail

Subscription subscribe_fastlane(const Topic& topic, Pid subscriber, Pid target,
                                detail::Deliver deliver) {
    return detail::subscribe(topic, subscriber, target, deliver);
}

void broadcast(const Topic& topic, std::string_view event, const Payload& payload) {
    publish(topic, event, payload, {});
}

void broadcast_from(Pid subscriber, const Topic& topic, std::string_view event,
                    const Payload& payload) {
    publish(topic, event, payload, subscriber);
}

void direct_broadcast(std::uint64_t node, const Topic& topic, std::string_view event,
                      const Payload& payload) {
    if (node == 0) return broadcast(topic, event, payload);
    if (table().adapter) table().adapter->publish_to(node, Broadcast(topic, event, payload));
}

void local_broadcast(const Topic& topic, std::string_view event, const Payload& payload) {
    local_broadcast(Broadcast(topic, event, payload));
}

void local_broadcast(const Broadcast& broadcast, Pid except) {
    const detail::NodeShards& node = detail::node_shards();
    for (std::uint8_t shard = node.first; shard < node.end(); ++shard) {
        if (shard != shard_index()) {
            post(shard, [broadcast, except] { deliver_here(broadcast, except); });
        }
    }
    deliver_here(broadcast, except);
}

Topic intern(std::string_view topic) {
    detail::TopicEntry* entry = table().find(topic);
    return entry ? entry->topic : Topic(topic);
}

std::size_t subscriber_count(std::string_view topic) {
    detail::TopicEntry* entry = table().find(topic);
    return entry ? entry->live : 0;
}

void send_to_node(std::uint64_t node, std::string message) {
    if (table().adapter) table().adapter->send(node, std::move(message));
}

void use_adapter(std::shared_ptr<PubSubAdapter> adapter) {
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        if (shard != shard_index()) {
            post(shard, [adapter] { table().adapter = adapter; });
        }
    }
    table().adapter = std::move(adapter);
}

bool has_adapter() {
    return table().adapter != nullptr;
}

std::uint64_t own_node() {
    return table().adapter ? table().adapter->node() : 0;
}

}  // namespace bennu::pubsub
