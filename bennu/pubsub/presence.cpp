#include "bennu/pubsub/presence.hpp"

#include "bennu/pubsub/presence_table.hpp"

namespace bennu::presence {

namespace {

using detail::PresenceTable;
using detail::TopicPresence;

std::uint8_t owner_of(const Topic& topic) {
    return static_cast<std::uint8_t>(std::hash<Topic>()(topic) % shard_count());
}

/// Runs a job on the shard that owns the topic; jobs from one shard keep their order.
template <typename Job>
void on_owner(const Topic& topic, Job job) {
    const std::uint8_t owner = owner_of(topic);
    if (owner == shard_index()) {
        job();
    } else {
        post(owner, std::move(job));
    }
}

template <typename Change>
void change(const Topic& topic, Change apply) {
    on_owner(topic, [topic, apply = std::move(apply)]() mutable {
        auto& table = shard_local<PresenceTable>();
        TopicPresence& presence = table.topic(topic);
        apply(presence);
        if (presence.changed()) table.schedule(presence, topic);
        table.drop_if_idle(topic);
    });
}

struct IdSource {
    std::uint64_t next = 0;
};

std::uint64_t new_id() {
    return std::uint64_t{shard_index()} << 56 | ++shard_local<IdSource>().next;
}

struct StateOf : bennu::detail::Answer<Shared<std::string>> {
    explicit StateOf(Topic topic) : topic_(std::move(topic)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        auto reply = begin(coroutine, Instant::max());
        with_state(topic_, [reply](const Shared<std::string>& state) {
            bennu::detail::send_reply(reply, state);
        });
    }
    Shared<std::string> await_resume() {
        release();
        return std::move(*value);
    }

  private:
    Topic topic_;
};

struct CountOf : bennu::detail::Answer<std::size_t> {
    explicit CountOf(Topic topic) : topic_(std::move(topic)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        auto reply = begin(coroutine, Instant::max());
        on_owner(topic_, [topic = topic_, reply] {
            TopicPresence* presence = shard_local<PresenceTable>().find(topic);
            bennu::detail::send_reply(reply, presence ? presence->keys() : std::size_t{0});
        });
    }
    std::size_t await_resume() {
        release();
        return *value;
    }

  private:
    Topic topic_;
};

}  // namespace

Tracked::Tracked(Tracked&& other) noexcept
    : id_(std::exchange(other.id_, 0)),
      topic_(std::move(other.topic_)),
      key_(std::move(other.key_)) {}

Tracked& Tracked::operator=(Tracked&& other) noexcept {
    if (this != &other) {
        untrack();
        id_ = std::exchange(other.id_, 0);
        topic_ = std::move(other.topic_);
        key_ = std::move(other.key_);
    }
    return *this;
}

void Tracked::update(const Json& meta) {
    if (!id_) return;
    change(topic_,
           [key = key_, id = id_, fields = detail::meta_fields(meta)](
               TopicPresence& presence) mutable { presence.update(key, id, std::move(fields)); });
}

void Tracked::untrack() {
    const std::uint64_t id = std::exchange(id_, 0);
    if (!id) return;
    change(topic_,
           [key = std::move(key_), id](TopicPresence& presence) { presence.leave(key, id); });
}

Tracked track(const Topic& topic, std::string key, const Json& meta) {
    Tracked tracked;
    tracked.id_ = new_id();
    tracked.topic_ = topic;
    tracked.key_ = key;
    change(topic,
           [key = std::move(key), id = tracked.id_, fields = detail::meta_fields(meta)](
               TopicPresence& presence) mutable { presence.join(key, id, std::move(fields)); });
    return tracked;
}

Task<Json> list(Topic topic) {
    Shared<std::string> state = co_await StateOf(std::move(topic));
    co_return *parse_json(*state, {.max_bytes = state->size()});
}

Task<std::size_t> count(Topic topic) {
    co_return co_await CountOf(std::move(topic));
}

void with_state(const Topic& topic, Function<void(const Shared<std::string>&)> use) {
    on_owner(topic, [topic, from = shard_index(), use = std::move(use)]() mutable {
        auto& table = shard_local<PresenceTable>();
        table.topic(topic).ask(from, std::move(use));
        table.drop_if_idle(topic);
    });
}

}  // namespace bennu::presence
