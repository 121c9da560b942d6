#include "bennu/pubsub/presence_metas.hpp"

#include <algorithm>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/pubsub/presence_table.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::presence {

namespace detail {

namespace {

constinit EventName metas_event{"pubsub.presence.metas"};

struct LastWarning {
    std::optional<Instant> at;
};

/// A database that is away must not fill the log: it is every window of every topic.
void warn(const Topic& topic, const Error& error) {
    LastWarning& last = shard_local<LastWarning>();
    if (last.at && now() - *last.at < std::chrono::seconds(1)) return;
    last.at = now();
    log_warning("a presence hook failed", {{"topic", topic.view()}, {"reason", error.describe()}});
}

/// Belongs to the process of a call: whatever ends that, the next call may come.
class Call {
  public:
    Call(Topic topic, std::size_t keys, Function<void()> then)
        : topic_(std::move(topic)), keys_(keys), begun_(now()), then_(std::move(then)) {}
    Call(Call&& other) noexcept = default;
    Call& operator=(Call&&) = delete;
    ~Call() {
        if (then_) end("ended");
    }

    void end(std::string_view outcome) {
        emit(metas_event, {{"duration", now() - begun_}, {"keys", keys_}},
             {{"topic", topic_.view()}, {"outcome", outcome}});
        post(shard_index(), std::exchange(then_, {}));
    }

  private:
    Topic topic_;
    std::size_t keys_;
    Instant begun_;
    Function<void()> then_;
};

/// Notes a meta that came or went, unless that takes back what was noted before.
void note(std::set<std::string>& these, std::set<std::string>& others, const std::string& text) {
    if (others.erase(text) == 0) these.insert(text);
}

}  // namespace

std::string joined(const std::set<std::string>& metas) {
    std::string all;
    for (const std::string& meta : metas) all.append(all.empty() ? "" : ",").append(meta);
    return all;
}

void MetasHooks::declare(std::string pattern, MetasHook hook) {
    auto present = std::ranges::find(patterns_, pattern, &std::pair<std::string, MetasHook>::first);
    if (present != patterns_.end()) {
        present->second = std::move(hook);
    } else {
        patterns_.emplace_back(std::move(pattern), std::move(hook));
    }
}

const MetasHook* MetasHooks::find(std::string_view topic) const {
    for (const auto& [pattern, hook] : patterns_) {
        if (topic_matches(pattern, topic)) return hook ? &hook : nullptr;
    }
    return nullptr;
}

void MetasHooks::changed(const Topic& topic, const TopicPresence& presence,
                         const Outgoing& outgoing) {
    if (!find(topic)) return;
    ChangedTexts& changes = waiting_[topic].changes;
    std::set<std::string_view> keys;
    // A window's leaves are of metas that were there before it, its joins of new ones.
    for (const Change& leave : outgoing.leaves) {
        if (leave.text.empty()) continue;
        note(changes[leave.key].leaves, changes[leave.key].joins, leave.text);
        keys.insert(leave.key);
    }
    for (const Change& join : outgoing.joins) {
        if (join.text.empty()) continue;
        note(changes[join.key].joins, changes[join.key].leaves, join.text);
        keys.insert(join.key);
    }
    for (const std::string_view key : keys) {
        const auto changed = changes.find(std::string(key));
        if (changed->second.joins.empty() && changed->second.leaves.empty()) {
            changes.erase(changed);
        } else {
            changed->second.metas = presence.metas(changed->first);
        }
    }
    run(topic);
}

void MetasHooks::run(const Topic& topic) {
    Waiting& waiting = waiting_[topic];
    if (waiting.running) return;
    const MetasHook* hook = find(topic);
    if (!hook || waiting.changes.empty()) {
        waiting_.erase(topic);
        return;
    }
    waiting.running = true;
    hook->run(topic, std::exchange(waiting.changes, {}), [this, topic] {
        waiting_[topic].running = false;
        run(topic);
    });
}

}  // namespace detail

MetasHook::MetasHook(Run run, MetasOptions options)
    : state_(std::make_shared<const State>(std::move(run), options)) {}

/// So that what a hook throws before its first frame is a fault of this task.
Task<Result<>> MetasHook::call(std::shared_ptr<const State> state, Topic topic,
                               detail::ChangedTexts texts) {
    co_return co_await state->run(std::move(topic), std::move(texts));
}

void MetasHook::run(const Topic& topic, detail::ChangedTexts texts, Function<void()> then) const {
    detail::Call running(topic, texts.size(), std::move(then));
    spawn_task([state = state_, topic, texts = std::move(texts),
                running = std::move(running)]() mutable -> Task<> {
        const Result<> done =
            co_await within(call(state, topic, std::exchange(texts, {})), state->options.deadline);
        if (done) co_return running.end("ok");
        detail::warn(topic, done.error());
        running.end(done.error().kind() == ErrorKind::timeout ? "timeout" : "error");
    });
}

void handle_metas_with(std::string pattern, MetasHook hook) {
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        if (shard == shard_index()) continue;
        post(shard, [pattern, hook] {
            shard_local<detail::PresenceTable>().hooks.declare(pattern, hook);
        });
    }
    shard_local<detail::PresenceTable>().hooks.declare(std::move(pattern), std::move(hook));
}

}  // namespace bennu::presence
