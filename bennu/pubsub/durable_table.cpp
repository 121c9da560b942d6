#include "bennu/pubsub/durable_table.hpp"

#include <algorithm>

#include "bennu/base/events.hpp"
#include "bennu/pubsub/mark.hpp"
#include "bennu/pubsub/node_shards.hpp"
#include "bennu/pubsub/topic_table.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::pubsub::detail {

namespace {

constinit EventName durable_gap{"pubsub.durable.gap"};

/// Asks one shard of the node after the other, until one has a subscriber.
void ask_shards(const Topic& topic, std::uint8_t from, std::uint8_t shard,
                std::function<void(bool)> answer) {
    post(shard, [topic, from, shard, answer = std::move(answer)]() mutable {
        if (subscriber_count(topic) > 0) {
            post(from, [answer = std::move(answer)] { answer(true); });
        } else if (shard + 1 < node_shards().end()) {
            ask_shards(topic, from, static_cast<std::uint8_t>(shard + 1), std::move(answer));
        } else {
            post(from, [answer = std::move(answer)] { answer(false); });
        }
    });
}

Broadcast resync(const Topic& topic, const Position& position) {
    emit(durable_gap, {}, {{"topic", topic.view()}});
    return Broadcast(topic, resync_event, resync_payload(position));
}

}  // namespace

void DurablePatterns::declare(std::string pattern, const DurableOptions& options) {
    auto present = std::ranges::find(patterns_, pattern, &Pattern::text);
    if (present != patterns_.end()) {
        present->options = options;
    } else {
        patterns_.push_back({std::move(pattern), options});
    }
}

const DurableOptions* DurablePatterns::find(std::string_view topic) const {
    for (const Pattern& pattern : patterns_) {
        if (topic_matches(pattern.text, topic)) return &pattern.options;
    }
    return nullptr;
}

DurableLinks node_links() {
    return {
        .deliver = [](const Broadcast& message, Pid except) { local_broadcast(message, except); },
        .publish =
            [](const Broadcast& message) {
                auto& adapter = shard_local<TopicTable>().adapter;
                if (adapter) adapter->publish(message);
            },
        .has_others = [] { return has_adapter(); },
        .options =
            [](std::string_view topic) { return shard_local<DurablePatterns>().find(topic); },
        .in_use =
            [](const Topic& topic, std::function<void(bool)> answer) {
                ask_shards(topic, shard_index(), node_shards().first, std::move(answer));
            }};
}

DurableTable::DurableTable(DurableLinks links) : links_(std::move(links)) {}

TopicLog* DurableTable::log(const Topic& topic) {
    auto found = logs_.find(topic);
    if (found != logs_.end()) return &found->second;
    const DurableOptions* options = links_.options(topic);
    if (!options) return nullptr;
    TopicLog& made = logs_.try_emplace(topic, *options).first->second;
    made.used = now();
    sweep_later();
    return &made;
}

void DurableTable::publish(const Topic& topic, std::string event, std::string object, Pid except) {
    TopicLog* log = this->log(topic);
    if (!log) {
        // This shard has not heard yet that the topic is durable.
        Broadcast plain(topic, event, Payload::from_text(std::move(object)));
        links_.deliver(plain, except);
        return links_.publish(plain);
    }
    Mark mark = log->next();
    append_mark(object, mark);
    Broadcast message(topic, std::move(event), std::move(object), std::move(mark));
    log->append(message, now());
    if (links_.has_others()) log->announce(now() + TopicLog::first_announcement);
    links_.deliver(message, except);
    links_.publish(message);
}

void DurableTable::receive(const Broadcast& message) {
    const Topic& topic = message.topic();
    if (is_announcement(message)) {
        // Who has nothing of the topic has no subscribers that could have missed something.
        auto found = logs_.find(topic);
        if (found == logs_.end() || !found->second.hear(message.mark(), now())) return;
        return links_.deliver(resync(topic, found->second.position()), {});
    }
    TopicLog* log = this->log(topic);
    if (!log) return links_.deliver(message, {});
    switch (log->arrive(message, now())) {
        case TopicLog::Arrival::known:
            return;
        case TopicLog::Arrival::gap:
            links_.deliver(resync(topic, log->position_before(message.mark())), {});
            break;
        case TopicLog::Arrival::next:
            break;
    }
    links_.deliver(message, {});
}

Resumption DurableTable::resume(const Topic& topic, const std::optional<Position>& seen) {
    TopicLog* log = this->log(topic);
    return log ? log->resume(seen, now()) : Resumption{};
}

void DurableTable::lost() {
    std::vector<Broadcast> resyncs;
    for (auto& [topic, log] : logs_) {
        log.lose();
        // The others may have missed the last ones of the epoch that ended.
        log.announce(now());
        announce(topic, log);
        resyncs.push_back(resync(topic, log.position()));
    }
    for (const Broadcast& resync : resyncs) links_.deliver(resync, {});
}

/// When it is the time.
void DurableTable::announce(const Topic& topic, TopicLog& log) {
    for (Mark& mark : log.announcements(now())) {
        std::string object = "{}";
        append_mark(object, mark);
        links_.publish(Broadcast(topic, std::string(), std::move(object), std::move(mark)));
    }
}

void DurableTable::sweep() {
    std::vector<Topic> unused;
    for (auto& [topic, log] : logs_) {
        log.trim(now());
        announce(topic, log);
        const bool old = now() - log.used >= log.options().forget_after;
        if (old && log.has_announced()) unused.push_back(topic);
    }
    for (const Topic& topic : unused) retire(topic);
}

/// Unless somebody on this node is subscribed, or comes meanwhile.
void DurableTable::retire(const Topic& topic) {
    links_.in_use(topic, [this, topic, since = logs_.at(topic).used](bool in_use) {
        auto found = logs_.find(topic);
        if (found == logs_.end() || found->second.used != since) return;
        if (in_use) {
            found->second.used = now();
        } else {
            logs_.erase(found);
        }
    });
}

void DurableTable::sweep_later() {
    if (std::exchange(sweeping_, true)) return;
    spawn_task([this]() -> Task<> {
        while (!logs_.empty()) {
            co_await sleep(sweep_every);
            sweep();
        }
        sweeping_ = false;
    });
}

}  // namespace bennu::pubsub::detail
