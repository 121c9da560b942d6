#include "bennu/pubsub/presence_state.hpp"

#include <gtest/gtest.h>

#include <set>

#include "bennu/base/random.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::presence::detail {

namespace {

/// How often each entry was updated; the text says it, so that no two operations bring the same.
std::map<std::uint64_t, int> versions;

EntryText text_of(const Place& place) {
    return {.fields = "\"n\":" + std::to_string(place.id) +
                      ",\"v\":" + std::to_string(versions[place.id]) + ","};
}

Place place_of(std::uint64_t id) {
    return {.topic = "room", .key = "k" + std::to_string(id % 5), .id = id};
}

/// The nodes of a test, each with what it shows of the others; the way between them loses, doubles
/// and reorders messages.
class Cluster {
  public:
    Cluster(std::uint64_t seed, std::size_t nodes, StateLimits limits) : random_(seed) {
        limits_ = limits;
        versions.clear();
        for (std::size_t i = 0; i < nodes; ++i) nodes_.push_back(fresh(i, 1));
    }

    void step() {
        const std::size_t at = random_.below(nodes_.size());
        Node& node = nodes_[at];
        switch (random_.below(12)) {
            case 0:
            case 1:
            case 2:
                node.own.insert(++last_id_);
                node.state.join(place_of(last_id_));
                break;
            case 3:
            case 4:
                if (auto id = any_of(node.own)) {
                    node.own.erase(*id);
                    node.state.leave(*id);
                }
                break;
            case 5:
                if (auto id = any_of(node.own)) {
                    ++versions[*id];
                    node.state.update(*id);
                }
                break;
            case 6:
            case 7:
                publish(at);
                break;
            case 8:
                ask(at, random_.below(nodes_.size()));
                break;
            case 9:
                if (random_.chance(0.05)) restart(at);
                if (random_.chance(0.05)) forget(at, random_.below(nodes_.size()));
                if (random_.chance(0.05)) cut_ = random_.below(1 << nodes_.size());
                break;
            default:
                for (int i = 0; i < 3; ++i) deliver_one();
        }
    }

    /// Messages get through again, and all ask until nobody lacks anything.
    void heal() {
        cut_ = 0;
        reliable_ = true;
        while (!way_.empty()) deliver_one();
        // One that was started again and tracks nothing yet must be heard of, too.
        for (std::size_t at = 0; at < nodes_.size(); ++at) publish(at);
        for (int round = 0; round < 1000; ++round) {
            bool quiet = true;
            for (std::size_t from = 0; from < nodes_.size(); ++from) {
                for (std::size_t to = 0; to < nodes_.size(); ++to) {
                    if (nodes_[to].state.known(nodes_[from].id) == nodes_[from].state.clock())
                        continue;
                    quiet = false;
                    if (from != to) ask(to, from);
                }
            }
            while (!way_.empty()) deliver_one();
            if (quiet) return;
        }
    }

    void expect_agreement() {
        for (std::size_t at = 0; at < nodes_.size(); ++at) {
            std::set<std::string> all;
            for (std::size_t other = 0; other < nodes_.size(); ++other) {
                if (other == at) continue;
                for (std::uint64_t id : nodes_[other].own) all.insert(text_of(place_of(id)).fields);
            }
            std::set<std::string> shown;
            for (const auto& [id, entry] : nodes_[at].shown)
                EXPECT_TRUE(shown.insert(entry.text).second) << "twice: " << entry.text;
            EXPECT_EQ(shown, all) << "on node " << at;
        }
    }

  private:
    struct Node {
        ReplicaId id;
        PresenceState state;
        std::set<std::uint64_t> own = {};
        std::uint64_t published = 0;
        struct Shown {
            std::string of, text;
        };
        std::map<std::uint64_t, Shown> shown = {};
        /// Of each node, what has left here: a leave wins over every older join.
        std::map<std::string, std::set<std::string>> left = {};
    };
    struct Message {
        std::size_t to;
        ReplicaId from;
        Delta delta;
    };

    Node fresh(std::size_t at, std::uint64_t incarnation) const {
        return {{"node" + std::to_string(at), incarnation}, PresenceState(limits_)};
    }
    std::optional<std::uint64_t> any_of(const std::set<std::uint64_t>& ids) {
        if (ids.empty()) return std::nullopt;
        return *std::next(ids.begin(), static_cast<std::ptrdiff_t>(random_.below(ids.size())));
    }
    bool apart(std::size_t a, std::size_t b) const {
        return ((cut_ >> a) & 1) != ((cut_ >> b) & 1);
    }

    void post(std::size_t from, std::size_t to, const Delta& delta) {
        if (from == to || apart(from, to)) return;
        if (!reliable_ && random_.chance(0.2)) return;
        way_.push_back({to, nodes_[from].id, delta});
        if (!reliable_ && random_.chance(0.1)) way_.push_back(way_.back());
    }
    void publish(std::size_t from) {
        Node& node = nodes_[from];
        const Delta delta = node.state.extract({.since = node.published}, text_of);
        node.published = node.state.clock();
        for (std::size_t to = 0; to < nodes_.size(); ++to) post(from, to, delta);
    }
    void ask(std::size_t at, std::size_t whom) {
        if (apart(at, whom) || at == whom) return;
        Node& other = nodes_[whom];
        post(whom, at, other.state.extract(nodes_[at].state.request_to(other.id), text_of));
    }
    void restart(std::size_t at) { nodes_[at] = fresh(at, nodes_[at].id.incarnation + 1); }
    /// For a node that was not heard of for long.
    void forget(std::size_t at, std::size_t whom) {
        Node& node = nodes_[at];
        leave(node, node.state.remove(nodes_[whom].id.name));
        node.left.erase(nodes_[whom].id.name);
    }
    void deliver_one() {
        if (way_.empty()) return;
        // Any of them may be the next, however old.
        const std::size_t pick = random_.below(way_.size());
        std::swap(way_[pick], way_.back());
        const Message message = std::move(way_.back());
        way_.pop_back();
        // What a former life of a node said is refused; after `remove`, by the tracker.
        if (message.from.incarnation < life_of(message.from.name)) return;
        Node& node = nodes_[message.to];
        Changes changes = node.state.merge(message.from, message.delta);
        leave(node, changes.leaves);
        for (const auto& [place, text] : changes.joins) {
            const std::string& name = message.from.name;
            EXPECT_TRUE(node.shown.emplace(place.id, Node::Shown{name, text.fields}).second);
            EXPECT_FALSE(node.left[name].contains(text.fields)) << "came again: " << text.fields;
        }
    }
    std::uint64_t life_of(const std::string& name) const {
        for (const Node& node : nodes_) {
            if (node.id.name == name) return node.id.incarnation;
        }
        return 0;
    }
    void leave(Node& node, const std::vector<Place>& places) {
        for (const Place& place : places) {
            auto shown = node.shown.extract(place.id);
            ASSERT_FALSE(shown.empty());
            node.left[shown.mapped().of].insert(shown.mapped().text);
        }
    }

    Random random_;
    StateLimits limits_;
    std::vector<Node> nodes_;
    std::vector<Message> way_;
    std::uint64_t last_id_ = 0;
    std::uint64_t cut_ = 0;
    bool reliable_ = false;
};

Changes merged(PresenceState& state, const Delta& delta, std::uint64_t incarnation = 1) {
    return state.merge({"a", incarnation}, delta);
}

}  // namespace

TEST(PresenceState, converges_to_what_all_nodes_track_whatever_happens_to_messages) {
    for (std::uint64_t seed : simulation_seeds(1000)) {
        SCOPED_TRACE("BENNU_SIM_SEED=" + std::to_string(seed));
        if (testing::Test::HasFailure()) return;
        // Small limits, so that logs end and everything takes several messages.
        StateLimits limits{.log = 1 + seed % 30, .message_bytes = seed % 3 == 0 ? 300U : 100'000U};
        Cluster cluster(seed, 2 + seed % 3, limits);
        for (int i = 0; i < 80; ++i) cluster.step();
        cluster.heal();
        cluster.expect_agreement();
    }
}

TEST(PresenceState, tells_changes_one_by_one_while_the_log_reaches_back) {
    PresenceState a, b;
    a.join(place_of(1));
    a.join(place_of(2));
    Delta both = a.extract({}, text_of);
    EXPECT_EQ(both.kind, Delta::Kind::changes);
    EXPECT_EQ(merged(b, both).joins.size(), 2U);
    EXPECT_TRUE(merged(b, both).joins.empty());  // again
    a.leave(1);
    a.update(2);
    const Delta later = a.extract({.since = 2}, text_of);
    EXPECT_EQ(later.removed, (std::vector<std::uint64_t>{1, 2}));
    const Changes changes = merged(b, later);
    EXPECT_EQ(changes.leaves.size(), 2U);
    EXPECT_EQ(changes.joins.size(), 1U);
    // Older news changes nothing.
    EXPECT_TRUE(merged(b, both).joins.empty());
    EXPECT_EQ(b.known({"a", 1}), a.clock());
}

TEST(PresenceState, a_gap_changes_nothing_and_says_what_to_ask_for) {
    PresenceState a, b;
    for (std::uint64_t id = 1; id <= 3; ++id) a.join(place_of(id));
    Delta last = a.extract({.since = 2}, text_of);
    Changes changes = merged(b, last);
    EXPECT_TRUE(changes.gap);
    EXPECT_TRUE(changes.joins.empty());
    EXPECT_EQ(merged(b, a.extract(b.request_to({"a", 1}), text_of)).joins.size(), 3U);
}

TEST(PresenceState, everything_comes_in_parts_when_it_is_much) {
    PresenceState a({.log = 10, .message_bytes = 1000}), b;
    for (std::uint64_t id = 1; id <= 100; ++id) a.join(place_of(id));
    for (std::uint64_t id = 1; id <= 50; ++id) a.leave(id);
    std::size_t parts = 0, joins = 0;
    while (b.known({"a", 1}) < 150) {
        const Delta part = a.extract(b.request_to({"a", 1}), text_of);
        if (part.kind == Delta::Kind::part) ++parts;
        joins += merged(b, part).joins.size();
        // What changes meanwhile is told afterwards.
        if (parts == 2) a.leave(51);
        ASSERT_LT(parts, 100U);
    }
    EXPECT_GT(parts, 3U);
    const Changes rest = merged(b, a.extract({.since = 150}, text_of));
    EXPECT_EQ(joins - rest.leaves.size(), 49U);
}

TEST(PresenceState, a_node_that_was_started_again_replaces_its_former_life) {
    PresenceState a, b, again;
    a.join(place_of(1));
    const Delta old = a.extract({}, text_of);
    (void)merged(b, old, 1);
    again.join(place_of(2));
    const Changes changes = merged(b, again.extract({}, text_of), 2);
    EXPECT_EQ(changes.leaves.size(), 1U);
    EXPECT_EQ(changes.joins.size(), 1U);
    EXPECT_TRUE(merged(b, old, 1).joins.empty());
    EXPECT_EQ(b.remove("a").size(), 1U);
    EXPECT_EQ(b.replicas(), 0U);
}

}  // namespace bennu::presence::detail
