#pragma once

#include <functional>
#include <map>
#include <string>

#include "bennu/pubsub/broadcast.hpp"
#include "bennu/pubsub/presence.hpp"
#include "bennu/pubsub/presence_table.hpp"
#include "bennu/pubsub/presence_wire.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace bennu::presence {

struct TrackerOptions {
    /// Of this node, among those it hears of. A node that is started again under its name replaces
    /// its former life at once. Empty: drawn, and the former life leaves when it is silent, or when
    /// the adapter says that it is gone.
    std::string name = {};
    /// How long own changes are gathered while a group of topics is busy.
    Duration gather = window;
    /// How often nodes say how far they are after a change, so that lost messages are noticed.
    Duration heartbeat = std::chrono::milliseconds(1500);
    /// Without changes, only every so many heartbeats.
    unsigned silent_heartbeats = 10;
    /// A node that was silent for so long is down: its entries leave.
    Duration down_after = std::chrono::seconds(30);
    /// And after so long nothing of it is remembered.
    Duration forget_after = std::chrono::minutes(20);
    std::size_t max_nodes = 1000;
    detail::StateLimits limits = {};
};

/// Presence across nodes: a tracker on each shard, which tell those of other nodes through the
/// adapter of pub/sub (`PubSubAdapter::send`). `child_hub` starts them by itself.
ChildSpec child_trackers(TrackerOptions options = {}, ChildOptions child = {.id = "presence"});

/// For adapters, on any shard: a message that another node's `PubSubAdapter::send` sent. `node` is
/// whatever the adapter calls that node, for answers.
void receive(std::uint64_t node, std::string_view message);
/// For adapters that know it: nothing more comes from this node. Its entries leave at once.
void node_gone(std::uint64_t node);
/// Tells such messages from broadcasts, by their first byte.
bool is_tracker_message(std::string_view bytes);

namespace detail {

/// What a tracker works with; default: the table of its shard and the adapter.
struct TrackerLinks {
    PresenceTable* table = nullptr;
    std::function<void(std::uint64_t node, std::string message)> send = {};
};

/// Replicates the groups of topics that live on its shard. Each node has the say about its own
/// entries: whoever lacks some asks that node itself.
class Tracker final : public Server, public PresenceObserver {
  public:
    explicit Tracker(TrackerOptions options, TrackerLinks links = {});
    ~Tracker();

    struct Receive {
        std::uint64_t node;
        std::string bytes;
    };
    struct NodeGone {
        std::uint64_t node;
    };
    /// Messages may have been lost: says how far this node is, and asks the others.
    struct Resync {};
    struct Flush {
        std::uint8_t group;
    };
    struct Tick {};
    struct Nodes {
        using Reply = std::size_t;
    };

    Task<Result<>> init();
    /// Politely stopped: says goodbye.
    Task<> terminate(ExitReason reason);
    void handle(Receive message);
    void handle(NodeGone message);
    void handle(Resync);
    void handle(Broadcast) { handle(Resync{}); }
    void handle(Flush message);
    void handle(Tick);
    /// How many other nodes are up.
    std::size_t handle(Nodes) const;
    static constexpr MailboxOptions mailbox{.limit = 100'000, .overflow = Overflow::reject};

    void joined(const Place& place) override;
    void updated(const Place& place) override;
    void left(const Place& place) override;

  private:
    /// Another node, as its last message showed it.
    struct Peer {
        enum class Status : std::uint8_t { up, down, left };
        std::uint64_t incarnation = 0;
        std::uint64_t node = 0;
        Instant heard;
        Status status = Status::up;
    };
    /// What a peer has told of that this node does not have, and what was asked for last.
    struct Behind {
        std::uint64_t announced = 0;
        DeltaRequest asked;
        Instant asked_at;
    };
    struct Group {
        PresenceState state;
        std::uint64_t sent = 0;  ///< own operations that were published
        std::uint64_t ticked = 0;
        Instant flushed;
        bool flush_due = false;
        unsigned silent = 0;
        std::map<std::string, Behind> behind = {};
    };

    Group& group(std::uint8_t index);
    Group& group_of(const Topic& topic) { return group(detail::group_of(topic)); }
    bool travels(const Place& place) const;
    void changed(const Place& place);
    void publish(std::uint8_t index, Group& group);
    void send(std::uint64_t node, TrackerMessage message);
    /// How far this node is, in each group that has ever had an entry.
    void send_clocks(std::uint64_t node);
    Peer* meet(const TrackerMessage& message, std::uint64_t node);
    bool make_room();
    void take(const TrackerMessage& message);
    void catch_up(std::uint8_t index, Group& group, const std::string& name);
    /// All entries of a node leave; returns how many.
    std::size_t drop(const std::string& name);
    void look_for_silence();

    TrackerOptions options_;
    TrackerLinks links_;
    ReplicaId id_;
    Pid pid_;
    std::map<std::uint8_t, Group> groups_;
    std::map<std::string, Peer> peers_;
    pubsub::Subscription gaps_;
    Instant ticked_;
    bool first_tick_ = true;
};

}  // namespace detail
}  // namespace bennu::presence
