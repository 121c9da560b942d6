// Nodes that speak through the adapter's seam: what is published on one reaches subscribers,
// durable topics and presence of the others, over a network that does what it likes.
#include "bennu/pubsub/sim_adapter.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "bennu/pubsub/durable.hpp"
#include "bennu/pubsub/presence_tracker.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/async.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::pubsub::sim_adapter_test {

using namespace std::chrono_literals;
using Nodes = std::shared_ptr<SimAdapter>;

namespace {

template <typename S, typename... A>
Task<Ref<S>> start_on(std::uint8_t shard, A... args) {
    Result<Pid> made = co_await spawn_on(shard, [args...] { return spawn<S>(args...).pid(); });
    co_return Ref<S>(made.value());
}

/// Publishes from its shard.
struct Publisher : Server {
    struct Say {
        Topic topic;
        std::string event;
        int n = 0;
        std::uint64_t only = 0;  ///< a node
    };
    struct Name {
        using Reply = std::uint64_t;
    };
    void handle(Say say) {
        const Json payload = Json::object({{"n", say.n}});
        if (say.only != 0) return direct_broadcast(say.only, say.topic, say.event, payload);
        if (say.event == "local") return local_broadcast(say.topic, say.event, payload);
        broadcast(say.topic, say.event, payload);
    }
    std::uint64_t handle(Name) { return own_node(); }
};

/// What a subscriber of a topic heard, in order: `event n`.
struct Listener : Server {
    explicit Listener(std::string t) : topic(std::move(t)) {}
    struct Heard {
        using Reply = std::vector<std::string>;
    };
    Task<Result<>> init() {
        subscription = subscribe(Ref<Listener>(self()), topic);
        co_return {};
    }
    void handle(Broadcast message) {
        std::string said(message.event());
        if (message.payload().contains("n")) said += " " + to_json(message.payload()["n"]);
        heard.push_back(std::move(said));
    }
    std::vector<std::string> handle(Heard) { return heard; }

    std::string topic;
    std::vector<std::string> heard;
    Subscription subscription;
};

/// One on each shard.
template <typename S, typename... A>
Task<std::vector<Ref<S>>> everywhere(A... args) {
    std::vector<Ref<S>> all;
    for (std::uint8_t shard = 0; shard < shard_count(); ++shard)
        all.push_back(co_await start_on<S>(shard, args...));
    co_await bennu::sleep(1ms);
    co_return all;
}

/// Two to four shards, divided among two nodes or more.
SimAdapterOptions divided(SimOptions& sim) {
    sim.shards = 2 + static_cast<unsigned>(sim.seed % 3);
    return {.nodes = static_cast<std::uint8_t>(2 + sim.seed / 3 % (sim.shards - 1))};
}

std::size_t count(const std::vector<std::string>& heard, std::string_view said) {
    return static_cast<std::size_t>(std::ranges::count(heard, said));
}

}  // namespace

BENNU_SIM_TEST(SimAdapter, takes_broadcasts_to_every_node_once_and_in_order, sim) {
    const SimAdapterOptions options = divided(sim);
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes nodes = co_await SimAdapter::start(options);
        make_durable("kept");
        auto publishers = co_await everywhere<Publisher>();
        auto plain = co_await everywhere<Listener>(std::string("plain"));
        auto kept = co_await everywhere<Listener>(std::string("kept"));
        auto gaps = co_await everywhere<Listener>(std::string(gap_topic));
        const auto shards = static_cast<std::uint8_t>(publishers.size());
        for (int n = 0; n < 60; ++n) {
            const std::size_t who = random().below(shards);
            cast(publishers[who], Publisher::Say{"plain", "p" + std::to_string(who), n});
            cast(publishers[who], Publisher::Say{"kept", "k", n});
            if (random().chance(0.3)) co_await bennu::sleep(1ms);
        }
        const std::uint8_t last = static_cast<std::uint8_t>(shards - 1);
        cast(publishers[0], Publisher::Say{"plain", "local"});
        const auto name = co_await call(publishers[last], Publisher::Name{});
        cast(publishers[0], Publisher::Say{"plain", "only", 0, name});
        // Two minutes, in which nodes say how far they are; nothing is lost, and nobody is told so.
        nodes->heal();
        co_await bennu::sleep(2min);
        for (std::uint8_t shard = 0; shard < shards; ++shard) {
            const auto heard = co_await call(plain[shard], Listener::Heard{});
            std::map<std::string, int> at;
            for (const std::string& said : heard) {
                if (!said.starts_with('p')) continue;
                const int n = std::stoi(said.substr(said.find(' ')));
                auto [before, first] = at.emplace(said.substr(0, said.find(' ')), n);
                if (!first) EXPECT_LT(std::exchange(before->second, n), n);
            }
            const std::size_t local = nodes->node_of(shard) == 0 ? 1 : 0;
            const std::size_t only = nodes->node_of(shard) == nodes->node_of(last) ? 1 : 0;
            EXPECT_EQ(count(heard, "local 0"), local);
            EXPECT_EQ(count(heard, "only 0"), only);
            EXPECT_EQ(heard.size(), 60U + local + only);
            auto numbered = co_await call(kept[shard], Listener::Heard{});
            EXPECT_EQ(numbered.size(), 60U);
            EXPECT_EQ(std::set(numbered.begin(), numbered.end()).size(), 60U);
            EXPECT_EQ(count(numbered, "resync"), 0U);
            EXPECT_TRUE((co_await call(gaps[shard], Listener::Heard{})).empty());
        }
        co_return {};
    });
}

BENNU_SIM_TEST(SimAdapter, tells_those_who_missed_something_when_a_partition_heals, sim) {
    sim.shards = 3;
    finishes(sim, []() -> Task<Result<>> {
        Nodes nodes = co_await SimAdapter::start({.nodes = 3});
        make_durable("kept");
        auto publishers = co_await everywhere<Publisher>();
        auto plain = co_await everywhere<Listener>(std::string("plain"));
        auto kept = co_await everywhere<Listener>(std::string("kept"));
        auto gaps = co_await everywhere<Listener>(std::string(gap_topic));
        cast(publishers[0], Publisher::Say{"kept", "k", 1});
        co_await bennu::sleep(100ms);
        // Nothing is said while it lasts: nothing was missed.
        nodes->isolate(1);
        nodes->heal();
        co_await bennu::sleep(100ms);
        nodes->cut(0, 1);
        cast(publishers[0], Publisher::Say{"plain", "p", 2});
        cast(publishers[0], Publisher::Say{"kept", "k", 2});
        co_await bennu::sleep(100ms);
        nodes->heal();
        co_await bennu::sleep(100ms);
        cast(publishers[0], Publisher::Say{"plain", "p", 3});
        cast(publishers[0], Publisher::Say{"kept", "k", 3});
        co_await bennu::sleep(100ms);
        using Said = std::vector<std::string>;
        for (std::size_t node : {0U, 2U}) {
            EXPECT_EQ(co_await call(plain[node], Listener::Heard{}), (Said{"p 2", "p 3"}));
            EXPECT_EQ(co_await call(kept[node], Listener::Heard{}), (Said{"k 1", "k 2", "k 3"}));
            EXPECT_TRUE((co_await call(gaps[node], Listener::Heard{})).empty());
        }
        EXPECT_EQ(co_await call(plain[1], Listener::Heard{}), Said{"p 3"});
        auto numbered = co_await call(kept[1], Listener::Heard{});
        EXPECT_EQ(numbered.front(), "k 1");
        EXPECT_GE(count(numbered, "resync"), 1U);
        EXPECT_EQ(count(numbered, "k 2"), 0U);
        EXPECT_EQ(numbered.back(), "k 3");
        EXPECT_EQ(co_await call(gaps[1], Listener::Heard{}), Said{"gap"});
        co_return {};
    });
}

namespace {

/// How far each epoch is: who reads its state anew knows all of it.
using Published = std::map<std::string, std::uint64_t>;

/// Subscribes on each shard before anybody publishes, so that it sees a message of its node no
/// later than anybody.
struct Witness : Server {
    explicit Witness(Published* p) : published(p) {}
    Task<Result<>> init() {
        subscription = subscribe_fastlane("t", self(), self(), [](Pid to, const Broadcast& said) {
            if (!said.mark()) return;
            std::uint64_t& last = (*local_body(Ref<Witness>(to))->published)[said.mark().epoch];
            last = std::max(last, said.mark().sequence);
        });
        co_return {};
    }
    Published* published;
    Subscription subscription;
};

/// What a subscriber takes with it from one visit to the next.
struct Memory {
    std::optional<Position> position;
    Published known;  ///< without a hole, seen or read anew
};

/// A subscriber that comes to a node and goes, and what holds for it at any time.
struct Reader : Server {
    Reader(const Published* p, std::shared_ptr<Memory> m) : published(p), memory(std::move(m)) {}
    Task<Result<>> init() {
        resume("t", memory->position, [this, pid = self()](const Resumption& told) {
            if (alive(pid)) begin(told, pid);
        });
        co_return {};
    }
    void begin(const Resumption& told, Pid pid) {
        if (told.kind == Resumption::Kind::resumed) {
            for (const auto& [epoch, sequence] : told.position)
                EXPECT_EQ(sequence, (*memory->position)[epoch]);
            memory->position = told.position;
        } else {
            read_anew(told.position);
        }
        for (const Broadcast& missed : told.missed) take(missed);
        subscription = subscribe_fastlane("t", pid, pid, [](Pid to, const Broadcast& message) {
            local_body(Ref<Reader>(to))->take(message);
        });
    }
    void read_anew(Position now) {
        memory->position = std::move(now);
        for (const auto& [epoch, sequence] : *published)
            memory->known[epoch] = std::max(memory->known[epoch], sequence);
    }
    void take(const Broadcast& message) {
        if (message.event() == resync_event)
            return read_anew(*read_position(message.payload()["position"]));
        const auto& [epoch, sequence] = message.mark();
        std::uint64_t& at = (*memory->position)[epoch];
        std::uint64_t& known = memory->known[epoch];
        EXPECT_GT(sequence, at) << "twice, or out of order";
        EXPECT_LE(sequence, known + 1) << "a hole that nobody spoke of";
        at = sequence;
        known = std::max(known, sequence);
    }
    struct Complete {
        using Reply = bool;
    };
    bool handle(Complete) { return subscription && memory->known == *published; }

    const Published* published;
    std::shared_ptr<Memory> memory;
    Subscription subscription;
};

}  // namespace

BENNU_SIM_TEST(SimAdapter, durable_topics_give_each_message_once_or_say_resync, sim) {
    const SimAdapterOptions options = divided(sim);
    sim.faults = {.link_drops = 0.03,
                  .link_delays = 0.05,
                  .link_duplicates = 0.05,
                  .link_reorders = 0.03,
                  .until = 60s,
                  .most = 1000};
    if (sim.seed % 4 == 0) sim.faults = {};
    Published published;  // ends after the processes
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes nodes = co_await SimAdapter::start(options);
        make_durable("t", {.keep = 1 + random().below(40)});
        co_await bennu::sleep(1ms);
        co_await everywhere<Witness>(&published);
        auto publishers = co_await everywhere<Publisher>();
        struct Visit {
            std::shared_ptr<Memory> memory;
            Ref<Reader> reader;
        };
        std::vector<Visit> visits;
        for (int i = 0; i < 4; ++i) visits.push_back({std::make_shared<Memory>(), {}});
        const auto come = [&](Visit& visit) -> Task<> {
            kill(visit.reader.pid());
            // Its last words come before it is back, on whichever shard.
            co_await bennu::sleep(1ms);
            const auto shard = static_cast<std::uint8_t>(random().below(shard_count()));
            visit.reader = co_await start_on<Reader>(shard, &published, visit.memory);
        };
        const auto any_node = [&] {
            return static_cast<std::uint8_t>(random().below(nodes->nodes()));
        };
        for (int step = 0; step < 200; ++step) {
            switch (random().below(12)) {
                case 0:
                case 1:
                    co_await come(visits[random().below(visits.size())]);
                    break;
                case 2:
                    if (random().chance(0.2)) nodes->cut(any_node(), any_node());
                    if (random().chance(0.1)) nodes->isolate(any_node());
                    break;
                case 3:
                    if (random().chance(0.4)) nodes->heal();
                    if (random().chance(0.1)) nodes->tell_lost(any_node());
                    break;
                default:
                    cast(publishers[random().below(publishers.size())], Publisher::Say{"t", "e"});
            }
            if (random().chance(0.5))
                co_await bennu::sleep(std::chrono::milliseconds(random().below(200)));
        }
        for (Visit& visit : visits) co_await come(visit);
        nodes->heal();
        // What got lost last is noticed by and by.
        co_await bennu::sleep(300s);
        for (Visit& visit : visits) EXPECT_TRUE(co_await call(visit.reader, Reader::Complete{}));
        co_return {};
    });
}

namespace {

struct Person : Server {
    explicit Person(std::string k) : key(std::move(k)) {}
    struct Change {
        int n;
    };
    Task<Result<>> init() {
        present = presence::track("room", key, Json::object({{"n", 0}}));
        co_return {};
    }
    void handle(Change change) { present.update(Json::object({{"n", change.n}})); }
    std::string key;
    presence::Tracked present;
};

/// What a client of npm `phoenix` keeps: `key ref` of everybody.
struct Watcher : Server {
    struct Seen {
        using Reply = std::set<std::string>;
    };
    Task<Result<>> init() {
        subscription = subscribe(Ref<Watcher>(self()), "room");
        presence::with_state("room", [me = Ref<Watcher>(self())](const std::string& state) {
            cast(me, Broadcast("room", "state",
                               Payload::from_text("{\"joins\":" + state + ",\"leaves\":{}}")));
        });
        co_return {};
    }
    void handle(Broadcast diff) {
        for (const std::string& one : refs(diff.payload()["joins"])) seen.insert(one);
        for (const std::string& one : refs(diff.payload()["leaves"])) seen.erase(one);
    }
    std::set<std::string> handle(Seen) { return seen; }

    static std::set<std::string> refs(const Json& people) {
        std::set<std::string> all;
        for (const JsonMember& person : people.as_object()) {
            for (const Json& meta : person.value["metas"].as_array())
                all.insert(person.key + " " + std::string(meta["phx_ref"].as_string()));
        }
        return all;
    }
    std::set<std::string> seen;
    Subscription subscription;
};

/// Keys and metas, without the refs that each node gives by itself.
std::multiset<std::string> people_in(const Json& state) {
    std::multiset<std::string> all;
    for (const JsonMember& person : state.as_object()) {
        for (const Json& meta : person.value["metas"].as_array())
            all.insert(person.key + " " + to_json(meta["n"]));
    }
    return all;
}

Task<Json> state_on(std::uint8_t shard) {
    auto asked =
        async([] [[clang::coro_wrapper]] { return presence::list("room"); }, {.shard = shard});
    co_return co_await await(asked);
}

}  // namespace

BENNU_SIM_TEST(SimAdapter, presence_converges_on_all_nodes_after_any_trouble, sim) {
    const SimAdapterOptions options = divided(sim);
    sim.faults = {.link_drops = 0.1,
                  .link_delays = 0.05,
                  .link_duplicates = 0.05,
                  .link_reorders = 0.05,
                  .until = 40s,
                  .most = 1000};
    LogCapture quiet(LogLevel::off);
    finishes(sim, [&]() -> Task<Result<>> {
        Nodes nodes = co_await SimAdapter::start(options);
        std::vector<ChildSpec> children;
        children.push_back(presence::child_trackers());
        co_await require(supervise({}, std::move(children)));
        auto watchers = co_await everywhere<Watcher>();
        struct Present {
            Ref<Person> process;
            std::string key;
            int n = 0;
        };
        std::vector<Present> people;
        for (int step = 0; step < 120; ++step) {
            const auto node = static_cast<std::uint8_t>(random().below(nodes->nodes()));
            const std::size_t who = random().below(people.size() + 1);
            switch (random().below(8)) {
                case 0:
                case 1:
                case 2: {
                    const auto shard = static_cast<std::uint8_t>(random().below(shard_count()));
                    const std::string key = "k" + std::to_string(random().below(6));
                    people.push_back({co_await start_on<Person>(shard, key), key});
                    break;
                }
                case 3:
                    if (who == people.size()) break;
                    kill(people[who].process.pid());
                    people.erase(people.begin() + static_cast<std::ptrdiff_t>(who));
                    break;
                case 4:
                    if (who == people.size()) break;
                    people[who].n = step;
                    cast(people[who].process, Person::Change{step});
                    break;
                case 5:
                    if (random().chance(0.3)) nodes->isolate(node);
                    break;
                case 6:
                    if (random().chance(0.5)) nodes->heal();
                    break;
                default:
                    if (random().chance(0.2)) nodes->tell_gone(node);
            }
            if (random().chance(0.5))
                co_await bennu::sleep(std::chrono::milliseconds(random().below(400)));
            if (random().chance(0.01)) co_await bennu::sleep(40s);
        }
        nodes->heal();
        co_await bennu::sleep(100s);
        std::multiset<std::string> expected;
        for (const Present& one : people) expected.insert(one.key + " " + std::to_string(one.n));
        for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
            const Json state = co_await state_on(shard);
            EXPECT_EQ(people_in(state), expected) << "on shard " << int{shard};
            EXPECT_EQ(co_await call(watchers[shard], Watcher::Seen{}), Watcher::refs(state));
        }
        co_return {};
    });
}

TEST(SimAdapter, divides_all_shards_and_each_node_has_one) {
    for (unsigned shards = 1; shards <= 7; ++shards) {
        for (std::uint8_t count = 1; count <= shards; ++count) {
            finishes({.shards = shards}, [count]() -> Task<Result<>> {
                Nodes nodes = co_await SimAdapter::start({.nodes = count});
                std::uint8_t node = 0;
                for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
                    if (nodes->node_of(shard) != node) ++node;
                    EXPECT_EQ(nodes->node_of(shard), node);
                    EXPECT_GE(shard, nodes->first_shard(node));
                }
                EXPECT_EQ(node + 1, count);
                co_return {};
            });
        }
    }
}

TEST(SimAdapter, is_of_the_simulator_only_and_needs_a_shard_for_each_node) {
    LogCapture quiet;
    const auto starts = [](std::uint8_t count) {
        return [count]() -> Task<Result<>> {
            (void)co_await SimAdapter::start({.nodes = count});
            co_return {};
        };
    };
    EXPECT_EQ(simulate({.shards = 2}, starts(2)).status, 0);
    EXPECT_NE(simulate({.shards = 2}, starts(3)).status, 0);
    EXPECT_NE(simulate({.shards = 2}, starts(0)).status, 0);
    EXPECT_NE(run({.shards = 1, .handle_signals = false}, starts(1)), 0);
}

}  // namespace bennu::pubsub::sim_adapter_test
