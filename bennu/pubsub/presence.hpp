#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/json.hpp"
#include "bennu/base/record_json.hpp"
#include "bennu/base/shared_text.hpp"
#include "bennu/pubsub/presence_state_text.hpp"
#include "bennu/pubsub/topic.hpp"
#include "bennu/runtime/process.hpp"

/// Who is there: processes under keys (a user's id, a device's tag), per topic. The state of a
/// topic lives on one shard, chosen by its name, and all shards see it. Changes are broadcast on
/// the topic as `presence_diff` {"joins", "leaves"}: at once when the topic was quiet, else
/// gathered for up to `presence::window`. With other nodes (`child_hub`, `child_trackers`) the
/// state holds the entries of them all, and each node makes the diffs of its own subscribers.
namespace bennu::presence {

/// How long changes are gathered while a topic is busy.
inline constexpr Duration window = std::chrono::milliseconds(50);

/// One entry. A member of the process that is present (`Channel::track` keeps it for channels): it
/// leaves when that ends, however it ends.
class [[nodiscard]] Tracked {
  public:
    Tracked() = default;
    Tracked(Tracked&& other) noexcept;
    Tracked& operator=(Tracked&& other) noexcept;
    ~Tracked() { untrack(); }

    /// Replaces what is said about it; it gets a new `phx_ref`, and `phx_ref_prev` names the old
    /// one.
    void update(const Json& meta);
    template <Record T>
    void update(const T& meta) {
        update(to_json_value(meta));
    }
    void untrack();
    explicit operator bool() const { return id_ != 0; }
    std::string_view key() const { return key_; }

  private:
    friend Tracked track(const Topic& topic, SharedText key, const Json& meta);
    std::uint64_t id_ = 0;
    Topic topic_;
    SharedText key_;
};

/// Enters the running process under the key. `meta` must be an object; `phx_ref` is added. Several
/// entries may share a key (two tabs of one user).
Tracked track(const Topic& topic, SharedText key, const Json& meta = Json::object());
template <Record T>
Tracked track(const Topic& topic, SharedText key, const T& meta) {
    return track(topic, std::move(key), to_json_value(meta));
}

/// The topic's state, `{key: {"metas": [{…, "phx_ref"}]}}`, with everything that this shard tracked
/// before. Where the topic has a hook (`pubsub/presence_fetch.hpp`), with what it brings. A long
/// one is read over several turns, between which others run; it is the state of one moment.
Task<Json> list(Topic topic);
/// Who is under one key, with metas that are records (or Json, as they are).
template <typename T>
struct Present {
    std::string key;
    std::vector<T> metas;
};

namespace detail {
/// Those of the metas that are a T.
template <typename T>
std::vector<T> read_metas(const Json& metas) {
    std::vector<T> all;
    for (const Json& meta : metas.as_array()) {
        if constexpr (std::is_same_v<T, Json>) {
            all.push_back(meta);
        } else {
            Result<T> read = from_json<T>(meta, {.unknown = Unknown::ignore});
            if (read) all.push_back(*std::move(read));
        }
    }
    return all;
}
Task<StateReader> read_state(Topic topic);
Task<Json> metas_of(Topic topic, std::string key);
}  // namespace detail

/// The topic's state, typed. Metas that are no T (another program on another node) are left out.
template <Record T>
Task<std::vector<Present<T>>> list_as(Topic topic) {
    detail::StateReader state = co_await detail::read_state(std::move(topic));
    std::vector<Present<T>> all;
    while (state.more()) {
        const JsonMember member = state.next();
        Present<T> present{member.key, detail::read_metas<T>(member.value["metas"])};
        if (!present.metas.empty()) all.push_back(std::move(present));
        if (state.pause_due()) co_await yield_now();
    }
    co_return all;
}
/// The metas under one key, without the rest of the state and without what a hook would bring; none
/// when nobody is there under it. With everything that this shard tracked before.
Task<std::vector<Json>> get_by_key(Topic topic, std::string key);
/// The same, typed. Metas that are no T are left out.
template <Record T>
Task<std::vector<T>> get_by_key_as(Topic topic, std::string key) {
    const Json metas = co_await detail::metas_of(std::move(topic), std::move(key));
    co_return detail::read_metas<T>(metas);
}
/// How many keys are present.
Task<std::size_t> count(Topic topic);

/// The state as JSON text, handed to `use` on this shard, outside of any process, between the diffs
/// before it and those after it. While the topic is busy, or a fetch runs for it, it is made once
/// for all that ask meanwhile.
void with_state(const Topic& topic, Function<void(const std::string& state)> use);

}  // namespace bennu::presence
