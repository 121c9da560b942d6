#pragma once

#include <map>
#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/pubsub/presence.hpp"
#include "bennu/pubsub/presence_outgoing.hpp"
#include "bennu/runtime/process.hpp"

/// What clients are told of those who are present beyond their metas: read from a database, say,
/// for all of them at once.
namespace bennu::presence {

/// What a fetch brings, by key: a record, or a JSON object. A key that is missing gets nothing.
template <typename F>
using Fetched = std::map<std::string, F>;

struct FetchOptions {
    /// A fetch that takes longer has failed, and is cancelled.
    Duration deadline = std::chrono::seconds(5);
    /// How long after a failure those are asked for again whom clients know without what it would
    /// have brought: about that long, twice as long each time, a minute at most.
    Duration retry = std::chrono::seconds(1);
};

namespace detail {

/// What the type of a hook says: `Task<Result<Fetched<Fields>>>(Topic, std::vector<Present<M>>)`.
template <typename Hook>
struct HookTypes {};
template <typename Hook>
    requires requires { &Hook::operator(); }
struct HookTypes<Hook> : HookTypes<decltype(&Hook::operator())> {};
template <typename M, typename F>
struct HookTypes<Task<Result<Fetched<F>>> (*)(Topic, std::vector<Present<M>>)> {
    using Meta = M;
    using Fields = F;
};
template <typename C, typename M, typename F>
struct HookTypes<Task<Result<Fetched<F>>> (C::*)(Topic, std::vector<Present<M>>) const> {
    using Meta = M;
    using Fields = F;
};

Json parse_metas(std::string_view metas);
/// `,"user":{…}` of what is to stand beside the metas; a fault unless it is an object.
std::string fetched_fields(const Json& fields);

/// Calls a hook, which outlives it. People may be many: others run in between.
template <typename Hook>
Task<Result<FetchedText>> run_hook(const Hook* hook, Topic topic, std::vector<KeyMetas> people) {
    using M = typename HookTypes<Hook>::Meta;
    using F = typename HookTypes<Hook>::Fields;
    Pace pace;
    std::vector<Present<M>> all;
    for (const KeyMetas& one : people) {
        Present<M> present{one.key, read_metas<M>(parse_metas(one.metas))};
        if (!present.metas.empty()) all.push_back(std::move(present));
        if (pace.spent(one.metas.size())) co_await yield_now();
    }
    const Fetched<F> fetched = co_await require((*hook)(std::move(topic), std::move(all)));
    FetchedText texts;
    for (const auto& [key, fields] : fetched) {
        std::string text;
        if constexpr (std::is_same_v<F, Json>) {
            text = fetched_fields(fields);
        } else {
            text = fetched_fields(to_json_value(fields));
        }
        const std::size_t size = text.size();
        texts.emplace(key, std::move(text));
        if (pace.spent(size)) co_await yield_now();
    }
    co_return texts;
}

}  // namespace detail

/// A hook that reads what is known of everybody in one go, and how long it may take.
///
///     struct Known {
///         std::string name;
///     };
///     Task<Result<presence::Fetched<Known>>> known(Topic topic,
///                                                  std::vector<presence::Present<Viewer>> people);
///
/// It runs on the shard that owns the topic, in a process of its own, and may await. `people` are
/// those of a diff (whoever left, too) or, when somebody asked for the state, everybody: each key
/// once, with metas as records or, as `Present<Json>`, as they are; metas that are no such record
/// are left out. The fields of what it returns under a key go beside that key's `metas`, in
/// `presence_state`, `presence_diff` and `list`; the metas stay as they are. Everything about a
/// topic waits for it, in order, so at most one runs for each topic: what changes meanwhile is
/// gathered, and goes out with the next.
///
/// When it returns an error, throws, or is late, what waited goes out with metas alone: nobody may
/// be shown as gone, or there, because a database is away. That is logged, at most once a second.
/// Those of them who are still there are asked for again after `FetchOptions::retry`; what it
/// brings then comes as a `presence_diff` that joins their metas, which clients have, once more.
/// The event `pubsub.presence.fetch` (`duration`, `people`; `topic`, `outcome`) comes after each
/// fetch; the outcome is `ok`, `error`, `fault`, `timeout`, or `ended` when its process was.
class Fetch {
  public:
    Fetch() = default;  ///< none
    /// A function, or a lambda that holds what it needs (a Repo). Called on all shards, so const.
    template <typename Hook>
        requires requires { typename detail::HookTypes<Hook>::Fields; }
    Fetch(Hook hook, FetchOptions options = {})
        : Fetch(Run([hook = std::move(hook)] [[clang::coro_wrapper]] (
                        Topic topic,
                        std::vector<detail::KeyMetas> people) -> Task<Result<detail::FetchedText>> {
                    return detail::run_hook(&hook, std::move(topic), std::move(people));
                }),
                options) {}
    explicit operator bool() const { return static_cast<bool>(state_); }

    /// For the table: runs the hook. `then` is called once, on this shard, outside of any process,
    /// whatever has become of it (unless the shard ends); with nothing if it failed.
    void run(const Topic& topic, std::vector<detail::KeyMetas> people,
             Function<void(const detail::FetchedText*)> then) const;
    /// How long to wait after so many failures.
    Duration retry_after(std::uint32_t failures) const;

  private:
    using Run = Function<Task<Result<detail::FetchedText>>(Topic topic,
                                                           std::vector<detail::KeyMetas>) const>;
    struct State {
        Run run;
        FetchOptions options;
    };
    Fetch(Run run, FetchOptions options);
    static Task<Result<detail::FetchedText>> call(std::shared_ptr<const State> state, Topic topic,
                                                  std::vector<detail::KeyMetas> people);
    std::shared_ptr<const State> state_;
};

/// From now on the topics that fit the pattern (as of `topic_matches`; the first declared pattern
/// that fits counts) have this hook, on all shards of this node: `channel<C>(…, {.fetch = …})` does
/// it by itself. Each node fetches for its own clients. Declaring a pattern again replaces its
/// hook; an empty one takes it away.
void fetch_with(std::string pattern, Fetch fetch);

/// Somebody with what a fetch has brought: nothing when that failed, or knew nothing.
template <Record T, Record F>
struct PresentWith : Present<T> {
    std::optional<F> fetched;
};
/// As `list_as`, with what the topic's hook brings.
template <Record T, Record F>
Task<std::vector<PresentWith<T, F>>> list_with(Topic topic) {
    detail::StateReader state = co_await detail::read_state(std::move(topic));
    std::vector<PresentWith<T, F>> all;
    while (state.more()) {
        const JsonMember member = state.next();
        PresentWith<T, F> present{{member.key, detail::read_metas<T>(member.value["metas"])}, {}};
        Result<F> fetched = from_json<F>(member.value, {.unknown = Unknown::ignore});
        if (fetched) present.fetched = *std::move(fetched);
        if (!present.metas.empty()) all.push_back(std::move(present));
        if (state.pause_due()) co_await yield_now();
    }
    co_return all;
}

namespace detail {

/// The hooks of one shard.
class FetchPatterns {
  public:
    void declare(std::string pattern, Fetch fetch);
    const Fetch* find(std::string_view topic) const;

  private:
    std::vector<std::pair<std::string, Fetch>> patterns_;
};

}  // namespace detail
}  // namespace bennu::presence
