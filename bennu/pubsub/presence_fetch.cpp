#include "bennu/pubsub/presence_fetch.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/pubsub/presence_table.hpp"
#include "bennu/runtime/log_bound.hpp"
#include "bennu/runtime/within.hpp"

namespace bennu::presence {

namespace detail {

namespace {

constinit EventName fetch_event{"pubsub.presence.fetch"};

/// A database that is away must not fill the log: it is every window of every topic.
struct FailureLog {
    LogBound bound;

    void add(const Topic& topic, std::string_view outcome, std::string_view reason) {
        if (auto others = bound.next()) {
            log_warning("a presence fetch failed: clients are told without what it brings",
                        {{"topic", topic.view()},
                         {"outcome", outcome},
                         {"reason", reason},
                         {"others", *others}});
        }
    }
};

/// Stands in the frame of a fetch: whatever ends that, those who wait for it go on.
class Pending {
  public:
    using Then = Function<void(const FetchedText*)>;
    Pending(Topic topic, std::size_t people, Then then)
        : topic_(std::move(topic)), people_(people), begun_(now()), then_(std::move(then)) {}
    Pending(Pending&& other) noexcept = default;
    Pending& operator=(Pending&&) = delete;
    ~Pending() {
        if (then_) end("ended", std::nullopt);
    }

    void succeed(FetchedText fetched) { end("ok", std::move(fetched)); }
    void fail(std::string_view outcome, std::string_view reason) {
        shard_local<FailureLog>().add(topic_, outcome, reason);
        end(outcome, std::nullopt);
    }

  private:
    void end(std::string_view outcome, std::optional<FetchedText> fetched) {
        emit(fetch_event, {{"duration", now() - begun_}, {"people", people_}},
             {{"topic", topic_.view()}, {"outcome", outcome}});
        post(shard_index(),
             [then = std::exchange(then_, {}), fetched = std::move(fetched)]() mutable {
                 then(fetched ? &*fetched : nullptr);
             });
    }

    Topic topic_;
    std::size_t people_;
    Instant begun_;
    Then then_;
};

}  // namespace

Json parse_metas(std::string_view metas) {
    const std::string text = "[" + std::string(metas) + "]";
    return *parse_json(text, {.max_bytes = text.size()});
}

std::string fetched_fields(const Json& fields) {
    if (!fields.is_object()) throw std::logic_error("what a fetch brings must be an object");
    std::string out;
    for (const JsonMember& member : fields.as_object()) {
        if (member.key == "metas") continue;
        out += ',';
        append_json_string(out, member.key);
        out += ':';
        write_json(out, member.value);
    }
    return out;
}

void FetchPatterns::declare(std::string pattern, Fetch fetch) {
    auto present = std::ranges::find(patterns_, pattern, &std::pair<std::string, Fetch>::first);
    if (present != patterns_.end()) {
        present->second = std::move(fetch);
    } else {
        patterns_.emplace_back(std::move(pattern), std::move(fetch));
    }
}

const Fetch* FetchPatterns::find(std::string_view topic) const {
    for (const auto& [pattern, fetch] : patterns_) {
        if (topic_matches(pattern, topic)) return fetch ? &fetch : nullptr;
    }
    return nullptr;
}

}  // namespace detail

Fetch::Fetch(Run run, FetchOptions options)
    : state_(std::make_shared<const State>(std::move(run), options)) {}

/// So that what a hook throws before its first frame is a fault of this task.
Task<Result<detail::FetchedText>> Fetch::call(std::shared_ptr<const State> state, Topic topic,
                                              std::vector<detail::KeyMetas> people) {
    co_return co_await state->run(std::move(topic), std::move(people));
}

void Fetch::run(const Topic& topic, std::vector<detail::KeyMetas> people,
                Function<void(const detail::FetchedText*)> then) const {
    detail::Pending pending(topic, people.size(), std::move(then));
    spawn_task([state = state_, topic, people = std::move(people),
                pending = std::move(pending)]() mutable -> Task<> {
        auto done = co_await contain(
            within(call(state, topic, std::exchange(people, {})), state->options.deadline));
        if (!done) {
            pending.fail("fault", done.fault->describe());
        } else if (*done.value) {
            pending.succeed(std::move(**done.value));
        } else {
            const Error& error = done.value->error();
            pending.fail(error.kind() == ErrorKind::timeout ? "timeout" : "error",
                         error.describe());
        }
    });
}

Duration Fetch::retry_after(std::uint32_t failures) const {
    static constexpr Duration longest = std::chrono::minutes(1);
    Duration wait = state_->options.retry;
    for (std::uint32_t i = 1; i < failures && wait < longest; ++i) wait *= 2;
    wait = std::min(wait, longest);
    // All topics may have failed at once.
    const auto tenth = static_cast<std::uint64_t>(std::max<Duration::rep>(wait.count() / 10, 1));
    return wait - Duration(random().below(tenth));
}

void fetch_with(std::string pattern, Fetch fetch) {
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        if (shard == shard_index()) continue;
        post(shard, [pattern, fetch] {
            shard_local<detail::PresenceTable>().fetches.declare(pattern, fetch);
        });
    }
    shard_local<detail::PresenceTable>().fetches.declare(std::move(pattern), std::move(fetch));
}

}  // namespace bennu::presence
