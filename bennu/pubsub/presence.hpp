#pragma once

#include <string>
#include <string_view>

#include "bennu/base/json.hpp"
#include "bennu/pubsub/topic.hpp"
#include "bennu/runtime/process.hpp"

/// Who is there: processes under keys (a user's id, a device's tag), per topic. The state of a
/// topic lives on one shard, chosen by its name, and all shards see it. Changes are broadcast on
/// the topic as `presence_diff` {"joins", "leaves"}: at once when the topic was quiet, else
/// gathered for up to `presence::window`.
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
    void untrack();
    explicit operator bool() const { return id_ != 0; }
    const std::string& key() const { return key_; }

  private:
    friend Tracked track(const Topic& topic, std::string key, const Json& meta);
    std::uint64_t id_ = 0;
    Topic topic_;
    std::string key_;
};

/// Enters the running process under the key. `meta` must be an object; `phx_ref` is added. Several
/// entries may share a key (two tabs of one user).
Tracked track(const Topic& topic, std::string key, const Json& meta = Json::object());

/// The topic's state, `{key: {"metas": [{…, "phx_ref"}]}}`, with everything that this shard tracked
/// before.
Task<Json> list(Topic topic);
/// How many keys are present.
Task<std::size_t> count(Topic topic);

/// The state as JSON text, handed to `use` on this shard, outside of any process, between the diffs
/// before it and those after it. While the topic is busy, it is made once per window for all that
/// ask.
void with_state(const Topic& topic, Function<void(const Shared<std::string>& state)> use);

}  // namespace bennu::presence
