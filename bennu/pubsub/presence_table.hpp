#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/json.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/pubsub/topic.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::presence::detail {

using UseState = Function<void(const Shared<std::string>&)>;

/// One topic's state, on the shard that owns it. Metas are kept as JSON text: states and diffs are
/// put together by copying, and an entry is small.
class TopicPresence {
  public:
    explicit TopicPresence(Topic topic) : topic_(std::move(topic)) {}

    void join(const std::string& key, std::uint64_t id, std::string fields);
    void update(const std::string& key, std::uint64_t id, std::string fields);
    void leave(const std::string& key, std::uint64_t id);
    std::size_t keys() const { return keys_.size(); }

    bool changed() const { return !joins_.empty() || !leaves_.empty(); }
    bool idle() const { return keys_.empty() && !changed() && waiting_.empty() && !scheduled; }
    /// Hands the state to `use` on a shard: now, or after the diff that is due, so that nobody
    /// knows of a change that might still be taken back.
    void ask(std::uint8_t shard, UseState use);
    /// Broadcasts the diff of this window and answers those who wait for the state.
    void flush();

    bool scheduled = false;  ///< a flush is due
    std::optional<Instant> last_flush;

  private:
    struct Meta {
        std::uint64_t id;
        std::uint32_t window;  ///< in which it joined, and its place in that window's joins
        std::uint32_t place;
        std::array<char, 16> ref;
        std::string fields;  ///< `"a":1,` and what else comes before `phx_ref`
        std::string text() const;
    };
    struct Change {
        std::string key;
        std::string text;  ///< empty: taken back
    };
    struct Waiting {
        std::uint8_t shard;
        UseState use;
    };
    void add(const std::string& key, std::uint64_t id, std::string fields);
    std::optional<std::array<char, 16>> remove(const std::string& key, std::uint64_t id);
    const Shared<std::string>& state();

    Topic topic_;
    std::unordered_map<std::string, std::vector<Meta>> keys_;
    std::vector<Change> joins_, leaves_;
    std::vector<Waiting> waiting_;
    Shared<std::string> state_;  ///< of the present keys; empty after a change
    std::uint32_t window_ = 0;
};

/// The topics that one shard owns.
class PresenceTable {
  public:
    TopicPresence& topic(const Topic& topic);
    TopicPresence* find(std::string_view topic);
    /// Makes sure that a change of this topic is broadcast: at the end of this turn, or of its
    /// window.
    void schedule(TopicPresence& presence, const Topic& topic);
    void drop_if_idle(std::string_view topic);

  private:
    void flush(std::vector<Topic>& due);

    std::unordered_map<Topic, TopicPresence> topics_;
    std::vector<Topic> at_turn_end_, at_window_end_;
};

/// `"a":1,"b":2,` of a meta without what the tracker adds itself.
std::string meta_fields(const Json& meta);

}  // namespace bennu::presence::detail
