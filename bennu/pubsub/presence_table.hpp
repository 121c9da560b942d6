#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bennu/base/json.hpp"
#include "bennu/base/shared.hpp"
#include "bennu/pubsub/payload.hpp"
#include "bennu/pubsub/presence_fetch.hpp"
#include "bennu/pubsub/presence_meta.hpp"
#include "bennu/pubsub/presence_metas.hpp"
#include "bennu/pubsub/presence_outgoing.hpp"
#include "bennu/pubsub/presence_state.hpp"
#include "bennu/pubsub/topic.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu::presence::detail {

/// Hands a diff to the subscribers of this node.
using PublishDiff = std::function<void(const Topic&, const Payload& diff)>;

/// Hears of each change of this node's own entries (the tracker, when there are other nodes).
class PresenceObserver {
  public:
    virtual ~PresenceObserver() = default;
    virtual void joined(const Place& place) = 0;
    virtual void updated(const Place& place) = 0;
    virtual void left(const Place& place) = 0;
};

/// One topic's state, on the shard that owns it. Metas are kept as JSON text: states and diffs are
/// put together by copying, and an entry is small.
class TopicPresence {
  public:
    explicit TopicPresence(Topic topic) : topic_(std::move(topic)) {}

    void join(const SharedText& key, std::uint64_t id, EntryText text);
    /// False when there is no such entry.
    bool update(const SharedText& key, std::uint64_t id, std::string fields);
    bool leave(const SharedText& key, std::uint64_t id);
    std::size_t keys() const { return keys_.size(); }
    std::optional<EntryText> read(std::string_view key, std::uint64_t id) const;
    /// The metas under one key: JSON objects with commas between them.
    std::string metas(std::string_view key) const;
    std::vector<Place> places() const;

    bool changed() const { return !joins_.empty() || !leaves_.empty(); }
    /// Something is to be told, or was asked for.
    bool due() const { return changed() || !waiting_.empty() || tell_again_; }
    bool idle() const { return keys_.empty() && !due() && !busy(); }
    /// Hands the state to `use` on a shard: now, or after the diff that is due, so that nobody
    /// knows of a change that might still be taken back.
    void ask(Waiting waiting);
    /// With the next that goes out.
    void ask_later(Waiting waiting) { waiting_.push_back(std::move(waiting)); }
    /// Publishes the diff of this window and answers those who wait for the state. Returns the
    /// changes.
    Outgoing flush(const PublishDiff& publish);
    /// Ends the window: what `flush` would tell. For a topic with a fetch.
    Outgoing take();

    /// What was taken has gone out: with what a fetch brought, or without, since that failed.
    void told(const Outgoing& outgoing, bool complete);
    /// Clients lack something of somebody who is there.
    bool incomplete() const { return !lacking_.empty(); }
    /// So many fetches in a row failed.
    std::uint32_t failures() const { return failures_; }
    /// The next that goes out speaks of those of whom clients lack something, too.
    void tell_again() { tell_again_ = incomplete(); }
    bool retry_waits = false;  ///< `tell_again` will be called

    bool busy() const { return scheduled || fetching; }
    bool scheduled = false;  ///< a flush is due
    bool fetching = false;   ///< what was taken waits for a fetch; all else waits for that
    std::optional<Instant> last_flush;

  private:
    std::optional<std::array<char, 16>> remove(const SharedText& key, std::uint64_t id);
    const Shared<StateText>& state();
    void changed(std::string_view key);
    static std::string joined_text(const MetaList& entries);
    std::vector<KeyMetas> people() const;
    std::vector<KeyMetas> lacking_people() const;
    void cancel_returns();
    void end_window();

    Topic topic_;
    std::unordered_map<SharedText, MetaList, SharedText::Hash, std::equal_to<>> keys_;
    std::vector<Change> joins_, leaves_;
    /// The ids that joined in this window, and their places among its joins.
    std::unordered_map<std::uint64_t, std::uint32_t> fresh_;
    std::vector<std::uint32_t> taken_back_;  ///< places among the joins, to be used again
    std::vector<Waiting> waiting_;
    Shared<StateText> state_;  ///< when it was last asked for; empty: never, or much has changed
    KeySet stale_;             ///< the keys that have changed since
    /// Keys whose metas clients have without what a fetch would have brought; all are present.
    std::unordered_set<std::string> lacking_;
    std::uint32_t failures_ = 0;
    bool tell_again_ = false;
    bool may_return_ = false;  ///< some of the joins may be among the leaves
};

/// The topics that one shard owns.
class PresenceTable {
  public:
    PresenceTable();

    // This node's own entries.
    void join(const Place& place, std::string fields);
    void update(const Place& place, std::string fields);
    void leave(const Place& place);
    std::vector<Place> own() const;
    /// What an entry says now; empty when it is gone.
    EntryText read(const Place& place) const;

    // What is known of other nodes' (their ids are `remote_ids`).
    void apply(Changes changes);
    void leave_remote(const std::vector<Place>& places);
    void drop_remote();

    TopicPresence* find(std::string_view topic);
    const TopicPresence* find(std::string_view topic) const;
    void ask(const Topic& topic, Waiting waiting);

    PresenceObserver* observer = nullptr;
    Pid tracker;                         ///< who takes the messages of other nodes
    std::uint64_t last_incarnation = 0;  ///< of the trackers of this table
    PublishDiff publish;
    FetchPatterns fetches;
    MetasHooks hooks;

  private:
    TopicPresence& topic(const Topic& topic);
    /// Makes sure that a change of this topic is published: at the end of this turn, or of its
    /// window.
    void schedule(TopicPresence& presence, const Topic& topic);
    void drop_if_idle(std::string_view topic);
    void flush(std::vector<Topic>& due);
    void send_out(TopicPresence& presence, const Topic& topic);
    void deliver(const Topic& topic, Outgoing& outgoing, const FetchedText* fetched);
    /// Waits, and fetches anew for those of whom clients lack something.
    void retry(TopicPresence& presence, const Topic& topic);
    std::vector<Place> places(bool remote) const;

    std::unordered_map<Topic, TopicPresence> topics_;
    std::vector<Topic> at_turn_end_, at_window_end_;
};

/// Topics are spread over groups, equally on every node; a group is replicated by itself, and lives
/// on one shard.
inline constexpr std::uint8_t groups = 64;
std::uint8_t group_of(const Topic& topic);

/// `"a":1,"b":2,` of a meta without what the tracker adds itself.
std::string meta_fields(const Json& meta);
/// 16 characters that no other entry has.
std::array<char, 16> new_ref();

}  // namespace bennu::presence::detail
