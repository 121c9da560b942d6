#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/pubsub/presence.hpp"
#include "bennu/pubsub/presence_fetch.hpp"
#include "bennu/pubsub/presence_outgoing.hpp"
#include "bennu/runtime/process.hpp"

/// What the server does itself when somebody comes or goes: a hook for all topics of a pattern.
namespace bennu::presence {

/// What changed under one key, with metas as records or, as `Changed<Json>`, as they are.
template <typename M>
struct Changed {
    std::string key;
    std::vector<M> joins;   ///< that came; of an update the new one
    std::vector<M> leaves;  ///< that went; of an update the old one
    std::vector<M> metas;   ///< that are there now: none once nobody is left under this key
};

struct MetasOptions {
    /// A call that takes longer is cancelled; those after it go on.
    Duration deadline = std::chrono::seconds(5);
};

namespace detail {

/// A `Changed` as JSON texts. Ordered, so that what goes again is found among many.
struct ChangedText {
    std::set<std::string> joins, leaves;
    std::string metas;
};
using ChangedTexts = std::map<std::string, ChangedText>;

template <typename Hook>
struct MetasHookTypes {};
template <typename Hook>
    requires requires { &Hook::operator(); }
struct MetasHookTypes<Hook> : MetasHookTypes<decltype(&Hook::operator())> {};
template <typename M>
struct MetasHookTypes<Task<Result<>> (*)(Topic, std::vector<Changed<M>>)> {
    using Meta = M;
};
template <typename C, typename M>
struct MetasHookTypes<Task<Result<>> (C::*)(Topic, std::vector<Changed<M>>) const> {
    using Meta = M;
};

std::string joined(const std::set<std::string>& metas);

/// Calls a hook, which outlives it. Changes may be many: others run in between.
template <typename Hook>
Task<Result<>> run_metas_hook(const Hook* hook, Topic topic, ChangedTexts texts) {
    using M = typename MetasHookTypes<Hook>::Meta;
    Pace pace;
    std::vector<Changed<M>> all;
    for (const auto& [key, text] : texts) {
        const std::string joins = joined(text.joins), leaves = joined(text.leaves);
        Changed<M> changed{key, read_metas<M>(parse_metas(joins)),
                           read_metas<M>(parse_metas(leaves)),
                           read_metas<M>(parse_metas(text.metas))};
        if (!changed.joins.empty() || !changed.leaves.empty()) all.push_back(std::move(changed));
        if (pace.spent(joins.size() + leaves.size() + text.metas.size())) co_await yield_now();
    }
    if (all.empty()) co_return {};
    co_return co_await (*hook)(std::move(topic), std::move(all));
}

class MetasHooks;

}  // namespace detail

/// A hook that is told who came and who went, and how long it may take.
///
///     Task<Result<>> seen(Topic topic, std::vector<presence::Changed<Viewer>> changes);
///
/// It runs on the shard that owns the topic, in a process of its own, and may await. Each change
/// that clients are told of as `presence_diff` is in exactly one call, unless a later one took it
/// back before the call began: the calls of a topic come one after the other, and what changes
/// meanwhile waits for the next, gathered by key. `metas` is what was there with the last of these
/// changes. Metas that are no such record are left out. Nothing waits for a hook: neither clients
/// nor the state.
///
/// An error or a call that is late is logged, at most once a second; an exception ends the process
/// of that call. The next call tells of what came after, so a hook that keeps a state of its own
/// should set what `metas` says rather than count. What a node has tracked itself when it ends is
/// told to the other nodes alone. The event `pubsub.presence.metas` (`duration`, `keys`; `topic`,
/// `outcome`) comes after each call; the outcome is `ok`, `error`, `timeout`, or `ended` when its
/// process was (an exception, or the node stops).
class MetasHook {
  public:
    MetasHook() = default;  ///< none
    /// A function, or a lambda that holds what it needs (a Repo). Called on all shards, so const.
    template <typename Hook>
        requires requires { typename detail::MetasHookTypes<Hook>::Meta; }
    MetasHook(Hook hook, MetasOptions options = {})
        : MetasHook(Run([hook = std::move(hook)] [[clang::coro_wrapper]] (
                            Topic topic, detail::ChangedTexts texts) -> Task<Result<>> {
                        return detail::run_metas_hook(&hook, std::move(topic), std::move(texts));
                    }),
                    options) {}
    explicit operator bool() const { return static_cast<bool>(state_); }

  private:
    friend class detail::MetasHooks;
    using Run = Function<Task<Result<>>(Topic topic, detail::ChangedTexts) const>;
    struct State {
        Run run;
        MetasOptions options;
    };
    MetasHook(Run run, MetasOptions options);
    static Task<Result<>> call(std::shared_ptr<const State> state, Topic topic,
                               detail::ChangedTexts texts);
    /// `then` is called once, on this shard, outside of any process, whatever has become of it.
    void run(const Topic& topic, detail::ChangedTexts texts, Function<void()> then) const;
    std::shared_ptr<const State> state_;
};

/// From now on changes in the topics that fit the pattern (as of `topic_matches`; the first
/// declared pattern that fits counts) are told to this hook, on this node; who is there already is
/// not. With other nodes each has its own hook, and tells it of everybody, wherever they are.
/// Declaring a pattern again replaces its hook; an empty one takes it away.
void handle_metas_with(std::string pattern, MetasHook hook);

namespace detail {

class TopicPresence;

/// The hooks of one shard, and what waits for them.
class MetasHooks {
  public:
    void declare(std::string pattern, MetasHook hook);
    /// A window has ended with these changes; `presence` is the state after them.
    void changed(const Topic& topic, const TopicPresence& presence, const Outgoing& outgoing);

  private:
    struct Waiting {
        ChangedTexts changes;
        bool running = false;
    };
    const MetasHook* find(std::string_view topic) const;
    void run(const Topic& topic);

    std::vector<std::pair<std::string, MetasHook>> patterns_;
    std::unordered_map<Topic, Waiting> waiting_;
};

}  // namespace detail
}  // namespace bennu::presence
