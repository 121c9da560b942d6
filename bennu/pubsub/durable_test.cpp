#include "bennu/pubsub/durable.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "bennu/pubsub/durable_table.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation/link.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::pubsub::durable_test {

using namespace std::chrono_literals;
using detail::DurableTable;
using Kind = Resumption::Kind;

namespace {

/// What was published so far: how far each epoch is. Who reads its state anew knows all of it.
using Published = std::map<std::string, std::uint64_t>;

/// What one subscriber has seen, and the rules that hold for it at any time.
struct Reader {
    std::optional<Position> position;
    Published known;  ///< without a hole, seen or read anew

    void begin(const Resumption& told, const Published& published) {
        if (told.kind != Kind::resumed) return read_anew(told.position, published);
        for (const auto& [epoch, sequence] : told.position) {
            auto was = position->find(epoch);
            EXPECT_EQ(sequence, was == position->end() ? 0 : was->second);
        }
        position = told.position;
    }
    void read_anew(Position now, const Published& published) {
        position = std::move(now);
        for (const auto& [epoch, sequence] : published)
            known[epoch] = std::max(known[epoch], sequence);
    }
    void receive(const Broadcast& message, const Published& published) {
        if (message.event() == resync_event)
            return read_anew(*read_position(message.payload()["position"]), published);
        const auto& [epoch, sequence] = message.mark();
        std::uint64_t& at = (*position)[epoch];
        EXPECT_GT(sequence, at) << "twice, or out of order";
        EXPECT_LE(sequence, known[epoch] + 1) << "a hole that nobody spoke of";
        at = sequence;
        known[epoch] = std::max(known[epoch], sequence);
    }
};

/// Nodes in one simulation: each has a table of its own, and a link to each other one in place of
/// an adapter.
class Nodes {
  public:
    Nodes(std::size_t count, DurableOptions options) : options_(options) {
        for (std::size_t i = 0; i < count; ++i) {
            nodes_.push_back(std::make_unique<Node>());
            nodes_.back()->links.resize(count);
            start(i);
        }
    }

    std::size_t size() const { return nodes_.size(); }
    void publish(std::size_t at) { nodes_[at]->table->publish("t", "e", "{}", {}); }
    /// The bus says that it lost something, after it has.
    void lose(std::size_t at) {
        for (SimLink& link : nodes_[at]->links) link.heal();
        for (auto& node : nodes_) node->links[at].heal();
        nodes_[at]->table->lost();
    }
    void cut(std::size_t from, std::size_t to) { nodes_[from]->links[to].cut(); }
    void heal() {
        for (auto& node : nodes_) {
            for (SimLink& link : node->links) link.heal();
        }
    }
    void restart(std::size_t at) {
        for (std::size_t reader = 0; reader < readers_.size(); ++reader) {
            if (where_[reader] == at) leave(reader);
        }
        // What only this node had is gone with it, as if it had never been published.
        for (const std::string& epoch : nodes_[at]->epochs) dead_.insert(epoch);
        graves_.push_back(std::move(nodes_[at]->table));
        start(at);
    }

    std::size_t add_reader() {
        readers_.emplace_back();
        where_.push_back(size());
        return readers_.size() - 1;
    }
    void join(std::size_t reader, std::size_t at) {
        leave(reader);
        const Resumption told = nodes_[at]->table->resume("t", readers_[reader].position);
        ++(told.kind == Kind::resumed ? resumed : others);
        readers_[reader].begin(told, published_);
        for (const Broadcast& missed : told.missed) readers_[reader].receive(missed, published_);
        where_[reader] = at;
    }
    void leave(std::size_t reader) { where_[reader] = size(); }

    /// Everybody knows everything that is still known to anybody for sure.
    void expect_complete() {
        for (const Reader& reader : readers_) {
            for (const auto& [epoch, sequence] : published_) {
                if (dead_.contains(epoch)) continue;
                auto known = reader.known.find(epoch);
                EXPECT_EQ(known == reader.known.end() ? 0 : known->second, sequence) << epoch;
            }
        }
    }
    std::size_t topics(std::size_t at) const { return nodes_[at]->table->topics(); }
    int resumed = 0, others = 0;

  private:
    struct Node {
        std::unique_ptr<DurableTable> table;
        std::vector<SimLink> links;
        std::set<std::string> epochs;
    };

    void start(std::size_t at) {
        Node& node = *nodes_[at];
        node.epochs.clear();
        auto made = std::make_unique<DurableTable>(detail::DurableLinks{
            .deliver =
                [this, at](const Broadcast& message, Pid) {
                    note(at, message);
                    for (std::size_t i = 0; i < readers_.size(); ++i) {
                        if (where_[i] == at) readers_[i].receive(message, published_);
                    }
                },
            .publish = [this, at](const Broadcast& message) { send(at, message); },
            .has_others = [this] { return size() > 1; },
            .options = [this](std::string_view) { return &options_; },
            .in_use =
                [this, at](const Topic&, std::function<void(bool)> answer) {
                    answer(std::ranges::count(where_, at) > 0);
                }});
        node.table = std::move(made);
    }
    void note(std::size_t at, const Broadcast& message) {
        if (!message.mark()) return;
        const auto& [epoch, sequence] = message.mark();
        if (!published_.contains(epoch)) nodes_[at]->epochs.insert(epoch);
        published_[epoch] = std::max(published_[epoch], sequence);
    }
    void send(std::size_t from, const Broadcast& message) {
        // A machine that is gone sends nothing more.
        if (!nodes_[from]->epochs.contains(message.mark().epoch)) return;
        for (std::size_t to = 0; to < size(); ++to) {
            if (to == from) continue;
            nodes_[from]->links[to].carry(
                shard_index(), [this, to, message] { nodes_[to]->table->receive(message); });
        }
    }

    DurableOptions options_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::unique_ptr<DurableTable>> graves_;
    std::vector<Reader> readers_;
    std::vector<std::size_t> where_;  ///< size(): nowhere
    Published published_;
    std::set<std::string> dead_;
};

}  // namespace

BENNU_SIM_TEST(Durable, every_reader_sees_each_message_once_or_is_told, sim) {
    sim.shards = 1;
    sim.faults = {.link_drops = 0.03,
                  .link_delays = 0.05,
                  .link_duplicates = 0.05,
                  .link_reorders = 0.02,
                  .until = 120s,
                  .most = 1000};
    if (sim.seed % 4 == 0) sim.faults = {};
    std::optional<Nodes> held;  // ends after the processes that sweep
    finishes(sim, [&]() -> Task<Result<>> {
        const std::size_t count = 1 + random().below(3);
        Nodes& nodes = held.emplace(
            count, DurableOptions{.keep = 1 + random().below(30),
                                  .keep_for = random().chance(0.3) ? 3s : 600s,
                                  .max_bytes = random().chance(0.2) ? 3'000U : 1'000'000U,
                                  .forget_after = random().chance(0.3) ? 1s : 600s});
        const std::size_t readers = 1 + random().below(4);
        for (std::size_t i = 0; i < readers; ++i) nodes.add_reader();
        for (int step = 0; step < 300; ++step) {
            const std::size_t at = random().below(count), reader = random().below(readers);
            switch (random().below(12)) {
                case 0:
                    nodes.leave(reader);
                    break;
                case 1:
                case 2:
                    nodes.join(reader, at);
                    break;
                case 3:
                    if (random().chance(0.1)) nodes.cut(at, random().below(count));
                    if (random().chance(0.2)) nodes.heal();
                    break;
                case 4:
                    if (random().chance(0.1)) nodes.lose(at);
                    break;
                case 5:
                    if (random().chance(0.1)) nodes.restart(at);
                    break;
                default:
                    nodes.publish(at);
            }
            if (random().chance(0.5))
                co_await bennu::sleep(std::chrono::milliseconds(random().below(200)));
            if (random().chance(0.02)) co_await bennu::sleep(5s);
        }
        // Everybody is back and stays; what got lost last is noticed by and by.
        for (std::size_t i = 0; i < readers; ++i) nodes.join(i, random().below(count));
        nodes.heal();
        co_await bennu::sleep(300s);
        nodes.expect_complete();
        co_return {};
    });
}

namespace {

/// A subscriber on one shard: comes, reads, goes, comes back with its position.
struct Visitor : Server {
    struct Come {};
    struct Go {};
    struct Here {
        using Reply = bool;
    };
    struct Seen {
        using Reply = std::vector<std::uint64_t>;
    };
    void handle(Come) {
        if (std::exchange(here, true)) return;
        resume("t", position, [this, pid = self(), visit = ++visits](Resumption told) {
            if (!alive(pid) || !here || visit != visits) return;
            kinds.push_back(told.kind);
            position = told.position;
            for (const Broadcast& missed : told.missed) take(missed);
            subscription = subscribe_fastlane("t", pid, pid, [](Pid to, const Broadcast& message) {
                local_body(Ref<Visitor>(to))->take(message);
            });
        });
    }
    bool handle(Here) { return static_cast<bool>(subscription); }
    void handle(Go) {
        here = false;
        subscription.reset();
    }
    std::vector<std::uint64_t> handle(Seen) { return seen; }
    void take(const Broadcast& message) {
        (*position)[message.mark().epoch] = message.mark().sequence;
        seen.push_back(message.mark().sequence);
    }

    bool here = false;
    int visits = 0;
    std::optional<Position> position;
    std::vector<std::uint64_t> seen;
    std::vector<Kind> kinds;
    Subscription subscription;
};

struct Publisher : Server {
    struct Say {
        int n;
    };
    void handle(Say say) { broadcast("t", "n", Json::object({{"n", say.n}})); }
};

template <typename S>
Task<Ref<S>> start_on(std::uint8_t shard) {
    Result<Pid> made = co_await spawn_on(shard, [] { return spawn<S>().pid(); });
    co_return Ref<S>(made.value());
}

/// Publishers on all shards, visitors on all shards: nobody misses a message or sees one twice.
Task<Result<>> visit(int messages) {
    make_durable("t", {.keep = 100'000, .max_bytes = 100'000'000});
    co_await bennu::sleep(1ms);
    std::vector<Ref<Publisher>> publishers;
    std::vector<Ref<Visitor>> visitors;
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
        publishers.push_back(co_await start_on<Publisher>(shard));
        for (int i = 0; i < 2; ++i) visitors.push_back(co_await start_on<Visitor>(shard));
    }
    for (Ref<Visitor> visitor : visitors) cast(visitor, Visitor::Come{});
    for (Ref<Visitor> visitor : visitors) {
        while (!co_await call(visitor, Visitor::Here{})) co_await bennu::sleep(1ms);
    }
    for (int n = 0; n < messages; ++n) {
        cast(publishers[random().below(publishers.size())], Publisher::Say{n});
        Ref<Visitor> visitor = visitors[random().below(visitors.size())];
        if (random().chance(0.2)) cast(visitor, Visitor::Go{});
        if (random().chance(0.2)) cast(visitor, Visitor::Come{});
        if (random().chance(0.1)) co_await bennu::sleep(1ms);
    }
    for (Ref<Visitor> visitor : visitors) cast(visitor, Visitor::Go{});
    for (Ref<Visitor> visitor : visitors) cast(visitor, Visitor::Come{});
    for (int i = 0; i < 1000; ++i) {
        if ((co_await call(visitors.back(), Visitor::Seen{})).size() ==
            static_cast<std::size_t>(messages))
            break;
        co_await bennu::sleep(1ms);
    }
    co_await bennu::sleep(10ms);
    for (Ref<Visitor> visitor : visitors) {
        const auto seen = co_await call(visitor, Visitor::Seen{});
        std::vector<std::uint64_t> all(static_cast<std::size_t>(messages));
        std::iota(all.begin(), all.end(), 1);
        EXPECT_EQ(seen, all);
    }
    co_return {};
}

}  // namespace

BENNU_SIM_TEST(Durable, no_hole_and_no_double_between_replay_and_what_is_new, sim) {
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    finishes(sim, [] [[clang::coro_wrapper]] { return visit(200); });
}

// Real threads: publishing goes on while subscribers come and go.
TEST(Durable, MultiShard_no_hole_and_no_double_between_threads) {
    EXPECT_EQ(run({.shards = 3, .handle_signals = false},
                  [] [[clang::coro_wrapper]] { return visit(2000); }),
              0);
}

namespace {

struct Wire : PubSubAdapter {
    void publish(const Broadcast& broadcast) override { messages.push_back(broadcast); }
    std::vector<Broadcast> messages;
};

std::vector<Broadcast>& heard() {
    static std::vector<Broadcast> list;
    return list;
}

/// What subscribers of a topic on this shard get.
Subscription hear(const Topic& topic) {
    heard().clear();
    return subscribe_fastlane(topic, self(), self(),
                              [](Pid, const Broadcast& message) { heard().push_back(message); });
}

}  // namespace

TEST(Durable, numbers_what_is_an_object_and_nothing_else) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        auto wire = std::make_shared<Wire>();
        use_adapter(wire);
        make_durable("room:*");
        EXPECT_TRUE(is_durable("room:1"));
        EXPECT_FALSE(is_durable("people"));
        auto room = hear("room:1");
        auto people =
            subscribe_fastlane("people", self(), self(),
                               [](Pid, const Broadcast& message) { EXPECT_FALSE(message.mark()); });
        broadcast("room:1", "a", Json::object({{"n", 1}}));
        broadcast("room:1", "b", Json(5));
        broadcast("room:1", "c", Bytes::copy("xyz"));
        broadcast("people", "d");
        local_broadcast("room:1", "e");
        broadcast("room:1", "f");
        EXPECT_EQ(heard().size(), 5U);
        for (const Broadcast& message : heard()) {
            const bool numbered = message.event() == "a" || message.event() == "f";
            EXPECT_EQ(static_cast<bool>(message.mark()), numbered) << message.event();
        }
        EXPECT_EQ(heard().back().mark().sequence, 2U);
        EXPECT_EQ(heard().front().payload()["n"], Json(1));
        EXPECT_EQ(heard().front().payload()["_at"], Json::array({heard().front().mark().epoch, 1}));
        EXPECT_EQ(wire->messages.size(), 5U);
        // A client that sends back what it got does not bring its old place along.
        broadcast("room:1", "again", heard().front().payload());
        EXPECT_EQ(heard().back().payload()["_at"][1], Json(3));
        use_adapter(nullptr);
        co_return {};
    });
}

TEST(Durable, leaves_out_the_publisher_but_not_on_the_record) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        make_durable("t");
        auto mine = hear("t");
        broadcast_from(self(), "t", "mine");
        EXPECT_TRUE(heard().empty());
        resume("t", std::nullopt,
               [](Resumption told) { EXPECT_EQ(told.position.begin()->second, 1U); });
        co_return {};
    });
}

TEST(Durable, a_topic_is_forgotten_once_nobody_listens) {
    finishes({.shards = 2}, []() -> Task<Result<>> {
        make_durable("t", {.forget_after = 10s});
        co_await bennu::sleep(1ms);
        std::optional<Position> first;
        auto ask = [&](Kind expected) -> Task<> {
            bool told_so = false;
            resume("t", first, [&](Resumption told) {
                EXPECT_EQ(told.kind, expected);
                first = told.position;
                told_so = true;
            });
            while (!told_so) co_await bennu::sleep(1ms);
        };
        co_await ask(Kind::fresh);
        Subscription kept = hear("t");
        co_await bennu::sleep(60s);
        co_await ask(Kind::resumed);
        kept.reset();
        co_await bennu::sleep(60s);
        co_await ask(Kind::resync);
        co_return {};
    });
}

TEST(Durable, tells_subscribers_when_the_bus_lost_something) {
    finishes({.shards = 1}, []() -> Task<Result<>> {
        make_durable("t");
        auto room = hear("t");
        broadcast("t", "e");
        lost();
        EXPECT_EQ(heard().size(), 2U);
        EXPECT_EQ(heard().back().event(), resync_event);
        EXPECT_EQ(heard().back().payload()["position"].size(), 1U);
        // One that nobody declared durable here passes on what others numbered.
        receive(Broadcast("other", "e", R"({"_at":["x",7]})", Mark{"x", 7}));
        receive(Broadcast("t", "e", R"({"_at":["x",7]})", Mark{"x", 7}));
        EXPECT_EQ(heard().size(), 4U);
        EXPECT_EQ(heard()[2].payload()["position"]["x"], Json(6));
        receive(Broadcast("t", "", R"({"_at":["x",8]})", Mark{"x", 8}));
        EXPECT_EQ(heard().size(), 5U);
        EXPECT_EQ(heard()[4].payload()["position"]["x"], Json(8));
        co_return {};
    });
}

}  // namespace bennu::pubsub::durable_test
