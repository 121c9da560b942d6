#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bennu/base/shared_text.hpp"
#include "bennu/pubsub/topic.hpp"

/// What the nodes of a cluster know of each other's presences: a replicated set without tombstones,
/// pure data. Each node (a replica) changes only its own entries and numbers these operations;
/// whoever has heard of its operations up to a number knows of every entry up to there whether it
/// is still there. So one number for each replica says what was seen, an entry that is covered by
/// it and missing has left, and messages may be lost, doubled, delayed and overtaken. A message
/// that would leave a gap changes nothing: the number tells what to ask for.
namespace bennu::presence::detail {

/// A node, and which of its lives this is: one that was started again is another replica.
struct ReplicaId {
    std::string name;
    std::uint64_t incarnation = 0;
    bool operator==(const ReplicaId&) const = default;
};

/// Where an entry is in a node's table.
struct Place {
    Topic topic;
    SharedText key;
    std::uint64_t id = 0;
    bool operator==(const Place&) const = default;
};

/// What an entry says: its `phx_ref`, and `"a":1,` and what else its meta has.
struct EntryText {
    std::array<char, 16> ref{};
    std::string fields;
    bool operator==(const EntryText&) const = default;
};

struct Entry {
    std::uint64_t dot = 0;  ///< the operation of its replica that brought it
    Topic topic;
    std::string key;
    EntryText text;
    bool operator==(const Entry&) const = default;
};

/// News of one replica, by itself. `changes`: its operations after `from`, up to `to`; `entries`
/// are those brought by them that are still there, `removed` earlier ones that they took away.
/// `part`: a piece of everything; `entries` are all that are there of the dots after `from`, up to
/// `to`, and operations up to `as_of` are accounted for.
struct Delta {
    enum class Kind : std::uint8_t { changes = 1, part = 2 };
    Kind kind = Kind::changes;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t as_of = 0;
    std::vector<Entry> entries;          ///< by rising dot
    std::vector<std::uint64_t> removed;  ///< rising
    bool operator==(const Delta&) const = default;
};

/// Asks a replica for what comes after `since`. Everything may be too much for one message: then
/// the answers name the part that is to be asked for next.
struct DeltaRequest {
    std::uint64_t since = 0;
    std::uint64_t as_of = 0;  ///< with `next`: goes on with the parts
    std::uint64_t next = 0;
    bool operator==(const DeltaRequest&) const = default;
};

/// What a merge changes in the table.
struct Changes {
    struct Join {
        Place place;
        EntryText text;
    };
    std::vector<Join> joins;
    std::vector<Place> leaves;
    /// What is missing before this can be merged: ask with `request_to`.
    bool gap = false;
};

/// Bit pattern of the ids that entries of other nodes get; ids of this node's never have it.
inline constexpr std::uint64_t remote_ids = std::uint64_t{0xff} << 56;
constexpr bool is_remote(std::uint64_t id) {
    return (id & remote_ids) == remote_ids;
}

struct StateLimits {
    std::size_t log = 10'000;  ///< own operations that can be told one by one
    std::size_t message_bytes = 256 * 1024;
};

/// One group of topics on one node. An own entry costs an index of about 130 bytes, one of another
/// node half of that; a replica that is gone costs nothing.
class PresenceState {
  public:
    explicit PresenceState(StateLimits limits = {}) : limits_(limits) {}

    // This node's own entries.
    void join(Place place);
    void leave(std::uint64_t id);
    /// False when there is no such entry.
    bool update(std::uint64_t id);
    /// The number of its last operation.
    std::uint64_t clock() const { return clock_; }
    /// What others lack, as much of it as fits in a message; `read` gives the text of an entry.
    Delta extract(const DeltaRequest& request,
                  const std::function<EntryText(const Place&)>& read) const;

    // The entries of others.
    /// A delta of an older incarnation than the known one is ignored; with one of a newer one all
    /// of the former's entries leave.
    Changes merge(const ReplicaId& replica, const Delta& delta);
    /// The replica is down: its entries leave, and nothing of it is kept. If it comes back, it is
    /// new.
    std::vector<Place> remove(const std::string& name);
    /// Up to where its operations are known; 0: not at all.
    std::uint64_t known(const ReplicaId& replica) const;
    DeltaRequest request_to(const ReplicaId& replica) const;
    std::size_t replicas() const { return replicas_.size(); }

  private:
    struct Replica {
        std::uint64_t incarnation = 0;
        std::uint64_t clock = 0;
        std::uint64_t as_of = 0, next = 0;  ///< of the parts that are being received
        std::map<std::uint64_t, Place> entries;
        bool knows(std::uint64_t dot) const { return dot <= clock || dot <= next; }
    };
    bool logged(std::uint64_t since) const;
    Delta changes_since(std::uint64_t since,
                        const std::function<EntryText(const Place&)>& read) const;
    Delta part_after(const DeltaRequest& request,
                     const std::function<EntryText(const Place&)>& read) const;
    void log(std::uint64_t removed);
    void cover(Replica& replica, const Delta& delta, Changes& changes);

    StateLimits limits_;
    std::uint64_t clock_ = 0;
    std::map<std::uint64_t, Place> own_;
    std::unordered_map<std::uint64_t, std::uint64_t> dots_;  ///< of own ids
    std::deque<std::uint64_t> log_;  ///< the dot that each of the last operations took away, or 0
    std::map<std::string, Replica> replicas_;
    std::uint64_t next_id_ = 0;
};

}  // namespace bennu::presence::detail
