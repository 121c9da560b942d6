#include "bennu/pubsub/presence_tracker.hpp"

#include <gtest/gtest.h>

#include <set>

#include "bennu/pubsub/adapter.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation/link.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::presence::detail {

using namespace std::chrono_literals;

namespace {

/// Nodes in one simulation: each has a table and a tracker of its own, and a link to each other
/// one in place of an adapter.
class Nodes {
  public:
    explicit Nodes(std::size_t count, TrackerOptions options = {}) : options_(std::move(options)) {
        for (std::size_t i = 0; i < count; ++i) {
            nodes_.push_back(std::make_unique<Node>());
            nodes_.back()->links.resize(count);
            start(i);
        }
    }

    std::size_t size() const { return nodes_.size(); }

    void join(std::size_t at) {
        Node& node = *nodes_[at];
        const std::uint64_t id = ++last_id_;
        const Place place{topics_[id % topics_.size()], "k" + std::to_string(id % 4), id};
        node.table->join(place, say(node, place, 0));
    }
    void update(std::size_t at) {
        if (Own* own = any(at)) {
            Node& node = *nodes_[at];
            node.table->update(own->place, say(node, own->place, own->version + 1));
        }
    }
    void leave(std::size_t at) {
        if (Own* own = any(at)) {
            const Place place = own->place;
            nodes_[at]->own.erase(place.id);
            nodes_[at]->table->leave(place);
        }
    }

    /// The machine is gone and comes back: nothing is left of what it knew.
    void restart(std::size_t at) {
        stop(at);
        start(at);
    }
    void stop(std::size_t at) {
        kill(nodes_[at]->tracker.pid());
        bury(at);
    }
    Task<> leave_politely(std::size_t at) {
        co_await stop_and_wait(nodes_[at]->tracker.pid());
        bury(at);
    }
    /// Only the tracker fails; its supervisor starts another.
    void crash_tracker(std::size_t at) {
        kill(nodes_[at]->tracker.pid());
        start_tracker(at);
    }
    void start(std::size_t at) {
        Node& node = *nodes_[at];
        node.table = std::make_unique<PresenceTable>();
        node.table->publish = [&node](const Topic& topic, const Payload& diff) {
            std::string text;
            diff.write(text);
            node.apply(topic, *parse_json(text, {.max_bytes = text.size()}));
        };
        start_tracker(at);
    }

    /// From now on what a node shows to its own clients waits for a fetch that never ends by
    /// itself.
    void fetch_slowly(std::size_t at, Duration deadline) {
        auto hook = [](Topic, std::vector<Present<Json>>) -> Task<Result<Fetched<Json>>> {
            co_await bennu::sleep(1h);
            co_return Fetched<Json>();
        };
        nodes_[at]->table->fetches.declare("*", Fetch(hook, {.deadline = deadline}));
    }

    void cut(std::size_t from, std::size_t to) { nodes_[from]->links[to].cut(); }
    void isolate(std::size_t at) {
        for (std::size_t i = 0; i < size(); ++i) {
            cut(at, i);
            cut(i, at);
        }
    }
    void heal() {
        for (auto& node : nodes_) {
            for (SimLink& link : node->links) link.heal();
        }
    }
    void tell_gone(std::size_t at, std::size_t gone) {
        cast(nodes_[at]->tracker, Tracker::NodeGone{gone + 1});
    }
    void resync(std::size_t at) { cast(nodes_[at]->tracker, Tracker::Resync{}); }

    /// What the clients of a node see, as `topic key fields`.
    std::multiset<std::string> seen(std::size_t at) const {
        std::multiset<std::string> seen;
        for (const auto& [ref, text] : nodes_[at]->shown) seen.insert(text);
        return seen;
    }
    std::multiset<std::string> tracked() const {
        std::multiset<std::string> all;
        for (const auto& node : nodes_) {
            for (const auto& [id, own] : node->own) all.insert(own.text);
        }
        return all;
    }
    bool agree() const {
        const auto all = tracked();
        for (std::size_t i = 0; i < size(); ++i) {
            if (nodes_[i]->table && seen(i) != all) return false;
        }
        return true;
    }
    std::size_t sent = 0;  ///< messages

  private:
    struct Own {
        Place place;
        int version = 0;
        std::string text;
    };
    struct Node {
        std::unique_ptr<PresenceTable> table;
        Ref<Tracker> tracker;
        std::vector<SimLink> links;
        std::map<std::uint64_t, Own> own;
        std::map<std::string, std::string> shown;  ///< by ref, as the diffs tell

        void apply(const Topic& topic, const Json& diff) {
            // The new meta of a changed one is among the joins, the old one among the leaves.
            for (const JsonMember& join : diff["joins"].as_object()) {
                for (const Json& meta : join.value["metas"].as_array()) {
                    EXPECT_TRUE(shown
                                    .emplace(meta["phx_ref"].as_string(),
                                             topic.str() + " " + join.key + " " +
                                                 std::string(meta["says"].as_string()))
                                    .second)
                        << "joins twice";
                }
            }
            for (const JsonMember& leave : diff["leaves"].as_object()) {
                for (const Json& meta : leave.value["metas"].as_array()) {
                    EXPECT_EQ(shown.erase(std::string(meta["phx_ref"].as_string())), 1U)
                        << "leaves without having joined";
                }
            }
        }
    };

    /// What an entry says from now on.
    std::string say(Node& node, const Place& place, int version) {
        const std::string says = std::to_string(place.id) + "v" + std::to_string(version);
        node.own[place.id] = {place, version,
                              place.topic.str() + " " + place.key.str() + " " + says};
        return "\"says\":\"" + says + "\",";
    }
    Own* any(std::size_t at) {
        auto& own = nodes_[at]->own;
        if (own.empty()) return nullptr;
        return &std::next(own.begin(), static_cast<std::ptrdiff_t>(random().below(own.size())))
                    ->second;
    }
    void bury(std::size_t at) {
        Node& node = *nodes_[at];
        // What is due at the end of this turn still finds the table, and shows nobody anything.
        node.table->publish = [](const Topic&, const Payload&) {};
        graves_.push_back(std::move(node.table));
        node.own.clear();
        node.shown.clear();
    }
    void start_tracker(std::size_t at) {
        Node& node = *nodes_[at];
        TrackerOptions options = options_;
        options.name = "node" + std::to_string(at);
        node.tracker = spawn<Tracker>(
            options,
            TrackerLinks{node.table.get(), [this, at](std::uint64_t to, std::string bytes) {
                             send(at, to, std::move(bytes));
                         }});
    }
    void send(std::size_t from, std::uint64_t to, std::string bytes) {
        for (std::size_t i = 0; i < size(); ++i) {
            if (i == from || (to != 0 && to != i + 1)) continue;
            ++sent;
            nodes_[from]->links[i].carry(shard_index(), [this, i, from, bytes] {
                cast(nodes_[i]->tracker, Tracker::Receive{from + 1, bytes});
            });
        }
    }

    TrackerOptions options_;
    const std::vector<std::string> topics_{"room:1", "room:2", "people", "x"};
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::unique_ptr<PresenceTable>> graves_;
    std::uint64_t last_id_ = 0;
};

/// How long a run takes until all must agree again: the longest of what is waited for anywhere.
constexpr Duration settled = 60s;

}  // namespace

BENNU_SIM_TEST(Tracker, nodes_agree_after_any_trouble, sim) {
    sim.shards = 1;
    sim.faults = {.clock_jumps = 0.1,
                  .link_drops = 0.1,
                  .link_delays = 0.05,
                  .link_duplicates = 0.05,
                  .link_reorders = 0.05,
                  .until = 60s,
                  .most = 1000};
    LogCapture quiet(LogLevel::off);
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        const std::size_t count = 2 + random().below(3);
        // Small limits, so that logs end and everything takes several messages.
        TrackerOptions options;
        options.limits = {.log = 1 + random().below(20),
                          .message_bytes = random().chance(0.5) ? 200U : 100'000U};
        Nodes& nodes = held.emplace(count, options);
        for (int step = 0; step < 150; ++step) {
            const std::size_t at = random().below(count);
            switch (random().below(12)) {
                case 0:
                case 1:
                case 2:
                case 3:
                    nodes.join(at);
                    break;
                case 4:
                case 5:
                    nodes.leave(at);
                    break;
                case 6:
                case 7:
                    nodes.update(at);
                    break;
                case 8:
                    nodes.cut(at, random().below(count));
                    break;
                case 9:
                    if (random().chance(0.3)) nodes.heal();
                    if (random().chance(0.1)) nodes.isolate(at);
                    break;
                case 10:
                    if (random().chance(0.3)) nodes.restart(at);
                    break;
                default:
                    if (random().chance(0.2)) nodes.crash_tracker(at);
            }
            // Now and then long enough for others to be taken for dead.
            if (random().chance(0.5))
                co_await bennu::sleep(std::chrono::milliseconds(random().below(400)));
            if (random().chance(0.01)) co_await bennu::sleep(40s);
        }
        nodes.heal();
        co_await bennu::sleep(60s + settled);
        for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(nodes.seen(i), nodes.tracked()) << i;
        co_return {};
    });
}

BENNU_SIM_TEST(Tracker, shows_at_once_who_is_on_other_nodes_and_tells_late_joiners, sim) {
    sim.shards = 1;
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes& nodes = held.emplace(3);
        nodes.stop(2);
        co_await bennu::sleep(1s);
        nodes.join(0);
        nodes.join(1);
        co_await bennu::sleep(100ms);
        EXPECT_EQ(nodes.seen(0).size(), 2U);
        EXPECT_TRUE(nodes.agree());
        nodes.update(0);
        nodes.leave(1);
        co_await bennu::sleep(200ms);
        EXPECT_TRUE(nodes.agree());
        // A node that comes later knows all of it soon.
        nodes.start(2);
        co_await bennu::sleep(100ms);
        EXPECT_EQ(nodes.seen(2).size(), 1U);
        EXPECT_TRUE(nodes.agree());
        co_return {};
    });
}

BENNU_SIM_TEST(Tracker, a_fetch_that_hangs_on_one_node_holds_up_no_other, sim) {
    sim.shards = 1;
    LogCapture quiet(LogLevel::off);
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes& nodes = held.emplace(2);
        nodes.fetch_slowly(0, 10s);
        for (int i = 0; i < 20; ++i) {
            nodes.join(static_cast<std::size_t>(i % 2));
            co_await bennu::sleep(10ms);
        }
        co_await bennu::sleep(100ms);
        EXPECT_EQ(nodes.seen(1).size(), 20U);
        EXPECT_EQ(nodes.seen(0).size(), 0U);
        co_await bennu::sleep(21s);
        EXPECT_TRUE(nodes.agree());
        co_return {};
    });
}

BENNU_SIM_TEST(Tracker, a_silent_node_leaves_after_the_down_period_and_comes_back, sim) {
    sim.shards = 1;
    LogCapture quiet(LogLevel::off);
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes& nodes = held.emplace(2);
        nodes.join(0);
        nodes.join(1);
        co_await bennu::sleep(1s);
        nodes.isolate(1);
        co_await bennu::sleep(13s);
        EXPECT_EQ(nodes.seen(0).size(), 2U);
        co_await bennu::sleep(20s);
        EXPECT_EQ(nodes.seen(0).size(), 1U);
        nodes.heal();
        co_await bennu::sleep(16s);
        EXPECT_TRUE(nodes.agree());
        // One that is gone for good.
        nodes.stop(1);
        co_await bennu::sleep(32s);
        EXPECT_TRUE(nodes.agree());
        co_return {};
    });
}

// proves 1.15
BENNU_SIM_TEST(Tracker, fifty_are_there_and_ten_are_lost_abruptly, sim) {
    sim.shards = 1;
    LogCapture quiet(LogLevel::off);
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes& nodes = held.emplace(3);
        for (int i = 0; i < 50; ++i) nodes.join(i < 20 ? 0 : i < 40 ? 1 : 2);
        co_await bennu::sleep(1s);
        EXPECT_EQ(nodes.seen(0).size(), 50U);
        EXPECT_TRUE(nodes.agree());
        nodes.stop(2);
        co_await bennu::sleep(32s);
        EXPECT_EQ(nodes.seen(0).size(), 40U);
        EXPECT_TRUE(nodes.agree());
        co_return {};
    });
}

BENNU_SIM_TEST(Tracker, a_node_that_leaves_or_is_known_to_be_gone_leaves_at_once, sim) {
    sim.shards = 1;
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes& nodes = held.emplace(3);
        for (std::size_t i = 0; i < 3; ++i) nodes.join(i);
        co_await bennu::sleep(1s);
        co_await nodes.leave_politely(2);
        co_await bennu::sleep(100ms);
        EXPECT_EQ(nodes.seen(0).size(), 2U);
        nodes.stop(1);
        nodes.tell_gone(0, 1);
        co_await bennu::sleep(100ms);
        EXPECT_EQ(nodes.seen(0).size(), 1U);
        // Back under its name, with another life.
        nodes.start(1);
        nodes.join(1);
        co_await bennu::sleep(1s);
        EXPECT_TRUE(nodes.agree());
        // The same life comes back when it was a mistake.
        nodes.tell_gone(0, 1);
        co_await bennu::sleep(100ms);
        EXPECT_EQ(nodes.seen(0).size(), 1U);
        nodes.resync(1);
        co_await bennu::sleep(100ms);
        EXPECT_TRUE(nodes.agree());
        co_return {};
    });
}

BENNU_SIM_TEST(Tracker, idle_nodes_say_little, sim) {
    sim.shards = 1;
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes& nodes = held.emplace(2);
        co_await bennu::sleep(10s);
        nodes.sent = 0;
        co_await bennu::sleep(3min);
        EXPECT_EQ(nodes.sent, 0U);  // nobody was ever there
        nodes.join(0);
        co_await bennu::sleep(3min);
        EXPECT_LE(nodes.sent, 20U);  // a heartbeat in 15 s
        EXPECT_TRUE(nodes.agree());
        co_return {};
    });
}

BENNU_SIM_TEST(Tracker, many_entries_come_in_parts, sim) {
    sim.shards = 1;
    std::optional<Nodes> held;  // ends after the trackers
    finishes(sim, [&]() -> Task<Result<>> {
        TrackerOptions options;
        options.limits = {.log = 100, .message_bytes = 1024};
        Nodes& nodes = held.emplace(2, options);
        nodes.stop(1);
        for (int i = 0; i < 400; ++i) nodes.join(0);
        co_await bennu::sleep(1s);
        nodes.start(1);
        co_await bennu::sleep(3s);
        EXPECT_EQ(nodes.seen(1).size(), 400U);
        EXPECT_TRUE(nodes.agree());
        co_return {};
    });
}

namespace {

/// What a node sends comes to it as from another of that name.
struct Mirror : PubSubAdapter {
    void publish(const Broadcast&) override {}
    void send(std::uint64_t, std::string message) override {
        auto copy = decode_tracker_message(message);
        if (!copy || copy->from.name.starts_with("b") ||
            copy->kind == TrackerMessage::Kind::request)
            return;
        copy->from.name[0] = 'b';
        presence::receive(7, encode_tracker_message(*copy));
    }
};

struct Somebody : Server {
    explicit Somebody(std::string key) : present(presence::track("room", std::move(key))) {}
    Tracked present;
};

}  // namespace

// Real threads: a tracker on each shard, which take what comes in on any of them.
TEST(Tracker, MultiShard_replicates_the_groups_of_each_shard) {
    const int status = run({.shards = 2, .handle_signals = false}, []() -> Task<Result<>> {
        pubsub::use_adapter(std::make_shared<Mirror>());
        std::vector<ChildSpec> children;
        children.push_back(child_trackers({.name = "a"}));
        auto tree = co_await require(supervise({}, std::move(children)));
        for (int i = 0; i < 20; ++i) spawn<Somebody>("k" + std::to_string(i));
        const Json once = co_await presence::list("room");
        EXPECT_EQ(once.size(), 20U);
        Json state;
        for (int i = 0; i < 5000 && state["k0"]["metas"].size() != 2; ++i) {
            co_await bennu::sleep(1ms);
            state = co_await presence::list("room");
        }
        EXPECT_EQ(state["k0"]["metas"].size(), 2U);
        node_gone(7);
        for (int i = 0; i < 5000 && state["k0"]["metas"].size() != 1; ++i) {
            co_await bennu::sleep(1ms);
            state = co_await presence::list("room");
        }
        EXPECT_EQ(state["k0"]["metas"].size(), 1U);
        co_await stop_and_wait(tree.pid());
        pubsub::use_adapter(nullptr);
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

}  // namespace bennu::presence::detail
