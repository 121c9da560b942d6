#include "bennu/pubsub/durable.hpp"

#include "bennu/pubsub/durable_table.hpp"
#include "bennu/pubsub/mark.hpp"
#include "bennu/pubsub/node_shards.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/pubsub/topic_owner.hpp"

namespace bennu::pubsub {

namespace {

constexpr std::size_t most_epochs = 256;

}  // namespace

Json to_json_value(const Position& position) {
    Json json = Json::object();
    for (const auto& [epoch, sequence] : position)
        json.set(epoch, static_cast<std::int64_t>(sequence));
    return json;
}

std::optional<Position> read_position(const Json& json) {
    if (!json.is_object() || json.size() > most_epochs) return std::nullopt;
    Position position;
    for (const JsonMember& member : json.as_object()) {
        const auto sequence = member.value.get<std::uint64_t>();
        if (!is_epoch(member.key) || !sequence || *sequence > last_sequence) return std::nullopt;
        position.emplace(member.key, *sequence);
    }
    return position;
}

Json resync_payload(const Position& position) {
    return Json::object({{"position", to_json_value(position)}});
}

std::string_view to_string(Resumption::Kind kind) {
    switch (kind) {
        case Resumption::Kind::fresh:
            return "new";
        case Resumption::Kind::resumed:
            return "resumed";
        case Resumption::Kind::resync:
            break;
    }
    return "resync";
}

void make_durable(std::string pattern, DurableOptions options) {
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        if (shard == shard_index()) continue;
        post(shard, [pattern, options] {
            shard_local<detail::DurablePatterns>().declare(pattern, options);
        });
    }
    shard_local<detail::DurablePatterns>().declare(std::move(pattern), options);
}

bool is_durable(std::string_view topic) {
    return shard_local<detail::DurablePatterns>().find(topic) != nullptr;
}

void resume(const Topic& topic, std::optional<Position> seen, Function<void(Resumption)> begin) {
    if (!is_durable(topic)) return begin(Resumption{});
    const std::uint8_t owner = detail::owner_of(topic), here = shard_index();
    if (owner == here) return begin(shard_local<detail::DurableTable>().resume(topic, seen));
    post(owner, [topic, here, seen = std::move(seen), begin = std::move(begin)]() mutable {
        // In order with the messages that this shard is sent before and after.
        post(here, [told = shard_local<detail::DurableTable>().resume(topic, seen),
                    begin = std::move(begin)]() mutable { begin(std::move(told)); });
    });
}

void receive(const Broadcast& broadcast) {
    if (!broadcast.mark()) return local_broadcast(broadcast);
    detail::on_owner(broadcast.topic(),
                     [broadcast] { shard_local<detail::DurableTable>().receive(broadcast); });
}

void lost() {
    const detail::NodeShards& node = detail::node_shards();
    for (std::uint8_t shard = node.first; shard < node.end(); ++shard) {
        if (shard != shard_index()) post(shard, [] { shard_local<detail::DurableTable>().lost(); });
    }
    shard_local<detail::DurableTable>().lost();
}

}  // namespace bennu::pubsub
