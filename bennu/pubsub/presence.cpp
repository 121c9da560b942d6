#include "bennu/pubsub/presence.hpp"

#include "bennu/pubsub/node_shards.hpp"
#include "bennu/pubsub/presence_table.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace bennu::presence {

namespace {

using detail::Place;
using detail::PresenceTable;
using detail::StateReader;
using detail::StateText;
using detail::TopicPresence;

std::uint8_t owner_of(const Topic& topic) {
    return pubsub::detail::node_shards().of(detail::group_of(topic));
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

struct IdSource {
    std::uint64_t next = 0;
};

std::uint64_t new_id() {
    return std::uint64_t{shard_index()} << 56 | ++shard_local<IdSource>().next;
}

struct LastTracked {
    Topic topic;
};

/// Who names a topic by its text makes it anew for each entry, and many are tracked in one topic
/// after the other: they share its text.
Topic one_text(const Topic& topic) {
    Topic& last = shard_local<LastTracked>().topic;
    if (last != topic) last = pubsub::intern(topic);
    return last;
}

void ask(const Topic& topic, detail::Asker asker, detail::UseState use) {
    on_owner(topic,
             [topic, waiting = detail::Waiting{shard_index(), std::move(use), asker}]() mutable {
                 shard_local<PresenceTable>().ask(topic, std::move(waiting));
             });
}

struct StateOf : bennu::detail::Answer<Shared<StateText>> {
    explicit StateOf(Topic topic) : topic_(std::move(topic)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        auto reply = begin(coroutine, Instant::max());
        ask(topic_, detail::Asker::program,
            [reply](const Shared<StateText>& state) { bennu::detail::send_reply(reply, state); });
    }
    Shared<StateText> await_resume() {
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

struct MetasOf : bennu::detail::Answer<std::string> {
    MetasOf(Topic topic, std::string key) : topic_(std::move(topic)), key_(std::move(key)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        auto reply = begin(coroutine, Instant::max());
        on_owner(topic_, [topic = topic_, key = key_, reply] {
            TopicPresence* presence = shard_local<PresenceTable>().find(topic);
            bennu::detail::send_reply(reply, presence ? presence->metas(key) : std::string());
        });
    }
    std::string await_resume() {
        release();
        return std::move(*value);
    }

  private:
    Topic topic_;
    std::string key_;
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
    on_owner(topic_,
             [place = Place{topic_, key_, id_}, fields = detail::meta_fields(meta)]() mutable {
                 shard_local<PresenceTable>().update(place, std::move(fields));
             });
}

void Tracked::untrack() {
    const std::uint64_t id = std::exchange(id_, 0);
    if (!id) return;
    on_owner(topic_, [place = Place{topic_, std::move(key_), id}] {
        shard_local<PresenceTable>().leave(place);
    });
}

Tracked track(const Topic& topic, SharedText key, const Json& meta) {
    Tracked tracked;
    tracked.id_ = new_id();
    tracked.topic_ = one_text(topic);
    tracked.key_ = key;
    on_owner(topic, [place = Place{tracked.topic_, std::move(key), tracked.id_},
                     fields = detail::meta_fields(meta)]() mutable {
        shard_local<PresenceTable>().join(place, std::move(fields));
    });
    return tracked;
}

Task<Json> list(Topic topic) {
    StateReader state = co_await detail::read_state(std::move(topic));
    Json::Object all;
    all.reserve(state.keys());
    while (state.more()) {
        all.push_back(state.next());
        if (state.pause_due()) co_await yield_now();
    }
    co_return Json(std::move(all));
}

Task<detail::StateReader> detail::read_state(Topic topic) {
    co_return StateReader(co_await StateOf(std::move(topic)));
}

Task<Json> detail::metas_of(Topic topic, std::string key) {
    co_return parse_metas(co_await MetasOf(std::move(topic), std::move(key)));
}

Task<std::vector<Json>> get_by_key(Topic topic, std::string key) {
    const Json metas = co_await detail::metas_of(std::move(topic), std::move(key));
    co_return detail::read_metas<Json>(metas);
}

Task<std::size_t> count(Topic topic) {
    co_return co_await CountOf(std::move(topic));
}

void with_state(const Topic& topic, Function<void(const std::string&)> use) {
    ask(topic, detail::Asker::client,
        [use = std::move(use)](const Shared<StateText>& state) mutable { use(state->text()); });
}

}  // namespace bennu::presence
