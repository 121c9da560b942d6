// Clients of channels on several nodes: what one says on its node reaches the others' through the
// adapter, whatever the network between the nodes does.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/channel/testing.hpp"
#include "bennu/pubsub/presence_tracker.hpp"
#include "bennu/pubsub/sim_adapter.hpp"
#include "bennu/runtime/async.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::nodes_test {

using namespace std::chrono_literals;

namespace {

struct RoomChannel : Channel {
    Task<Join> join(Topic, Json params) override {
        name = params["name"].as_string();
        co_return Join::ok(Json::object());
    }
    Task<> after_join() override {
        track(name);
        push_presence_state();
        co_return;
    }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "say") broadcast("said", payload);
        co_return Reply::ok();
    }
    std::string name;
};

const std::shared_ptr<const SocketOptions>& options() {
    static const auto shared = std::make_shared<const SocketOptions>(SocketOptions{
        .channels = {channel<RoomChannel>("room:*"),
                     channel<RoomChannel>("feed:*", {.durable = pubsub::DurableOptions{}})}});
    return shared;
}

Task<ChannelTest> connect_on(std::uint8_t shard) {
    auto connecting = async([] [[clang::coro_wrapper]] { return ChannelTest::connect(options()); },
                            {.shard = shard});
    co_return (co_await await(connecting)).value();
}

Json named(std::string_view name) {
    return Json::object({{"name", name}});
}
Json n(int number) {
    return Json::object({{"n", number}});
}
Json at(const ChannelTest::Frame& message) {
    return Json::object(
        {{std::string(message.payload["_at"][0].as_string()), message.payload["_at"][1]}});
}

/// What has come to a client on a topic, and what is known of it then.
struct Reader {
    ChannelTest client;
    std::string topic;
    std::map<std::string, std::int64_t> seen = {};  ///< by epoch
    std::set<std::string> present = {};             ///< refs
    int said = 0, resyncs = 0;

    /// Takes everything that is there; each message of a durable topic must come once, in its
    /// order, with no hole that nobody spoke of.
    Task<> read() {
        for (;;) {
            const Result<ChannelTest::Frame> frame = co_await client.next();
            if (!frame) co_return;
            if (frame->event == "resync") {
                ++resyncs;
                seen.clear();
                for (const JsonMember& epoch : frame->payload["position"].as_object())
                    seen[epoch.key] = *epoch.value.get<std::int64_t>();
            } else if (frame->event == "presence_state") {
                apply(Json::object({{"joins", frame->payload}, {"leaves", Json::object()}}));
            } else if (frame->event == "presence_diff") {
                apply(frame->payload);
            } else if (frame->event == "said") {
                ++said;
                if (!frame->payload.contains("_at")) continue;
                // An epoch that its position does not name is new to it.
                const auto sequence = *frame->payload["_at"][1].get<std::int64_t>();
                auto [last, first] = seen.emplace(frame->payload["_at"][0].as_string(), sequence);
                if (!first) EXPECT_EQ(sequence, std::exchange(last->second, sequence) + 1);
            }
        }
    }
    void apply(const Json& diff) {
        for (const JsonMember& one : diff["joins"].as_object()) {
            for (const Json& meta : one.value["metas"].as_array())
                present.insert(one.key + " " + std::string(meta["phx_ref"].as_string()));
        }
        for (const JsonMember& one : diff["leaves"].as_object()) {
            for (const Json& meta : one.value["metas"].as_array())
                present.erase(one.key + " " + std::string(meta["phx_ref"].as_string()));
        }
    }
    std::multiset<std::string> names() const {
        std::multiset<std::string> all;
        for (const std::string& one : present) all.insert(one.substr(0, one.find(' ')));
        return all;
    }
};

Task<> start_presence() {
    std::vector<ChildSpec> children;
    children.push_back(presence::child_trackers());
    (void)(co_await supervise({}, std::move(children))).value();
}

}  // namespace

BENNU_SIM_TEST(SimNodes, clients_of_two_nodes_hear_each_other, sim) {
    LogCapture quiet;
    sim.shards = 2 + static_cast<unsigned>(sim.seed % 2);
    finishes(sim, []() -> Task<Result<>> {
        auto nodes = co_await pubsub::SimAdapter::start({.nodes = 2});
        ChannelTest here = co_await connect_on(nodes->first_shard(0));
        ChannelTest there = co_await connect_on(nodes->first_shard(1));
        co_await start_presence();
        EXPECT_EQ((co_await here.join("room:1", named("ada"))).status, "ok");
        EXPECT_EQ((co_await there.join("room:1", named("bob"))).status, "ok");
        co_await bennu::sleep(1s);
        for (int i = 0; i < 5; ++i) (void)co_await here.push("room:1", "say", n(i));
        for (int i = 0; i < 5; ++i) EXPECT_EQ((co_await there.next("said"))->payload, n(i));
        Reader one{here, "room:1"}, other{there, "room:1"};
        co_await one.read();
        co_await other.read();
        const std::multiset<std::string> both{"ada", "bob"};
        EXPECT_EQ(one.names(), both);
        EXPECT_EQ(other.names(), both);
        here.disconnect();
        co_await bennu::sleep(1s);
        co_await other.read();
        EXPECT_EQ(other.names(), std::multiset<std::string>{"bob"});
        co_return {};
    });
}

BENNU_SIM_TEST(SimNodes, a_client_is_told_to_resync_after_a_loss_and_may_resume_on_any_node, sim) {
    LogCapture quiet;
    sim.shards = 2 + static_cast<unsigned>(sim.seed % 2);
    finishes(sim, []() -> Task<Result<>> {
        auto nodes = co_await pubsub::SimAdapter::start({.nodes = 2});
        ChannelTest here = co_await connect_on(nodes->first_shard(0));
        ChannelTest there = co_await connect_on(nodes->first_shard(1));
        (void)co_await here.join("feed:a", named("ada"));
        (void)co_await there.join("feed:a", named("bob"));
        (void)co_await here.push("feed:a", "say", n(1));
        const auto first = co_await there.next("said");
        (void)co_await here.push("feed:a", "say", n(2));
        EXPECT_EQ((co_await there.next("said"))->payload["n"], Json(2));

        // Node 1 has all that node 0 has published: a client of node 0 may go on there.
        ChannelTest moved = co_await connect_on(nodes->first_shard(1));
        const Json resume =
            Json::object({{"name", "cleo"}, {"resume", Json::object({{"position", at(*first)}})}});
        EXPECT_EQ((co_await moved.join("feed:a", resume)).response["resume"]["status"],
                  Json("resumed"));
        EXPECT_EQ((co_await moved.next("said"))->payload["n"], Json(2));

        nodes->cut(0, 1);
        (void)co_await here.push("feed:a", "say", n(3));
        EXPECT_FALSE(co_await there.next("said"));
        nodes->heal();
        EXPECT_TRUE(co_await there.next("resync"));
        EXPECT_FALSE(co_await here.next("resync"));
        (void)co_await here.push("feed:a", "say", n(4));
        EXPECT_EQ((co_await there.next("said"))->payload["n"], Json(4));
        // What it missed, node 1 cannot give.
        ChannelTest again = co_await connect_on(nodes->first_shard(1));
        EXPECT_EQ((co_await again.join("feed:a", resume)).response["resume"]["status"],
                  Json("resync"));
        co_return {};
    });
}

BENNU_SIM_TEST(SimNodes, clients_agree_in_the_end_whatever_the_network_does, sim) {
    LogCapture quiet(LogLevel::off);
    sim.shards = 2 + static_cast<unsigned>(sim.seed % 2);
    sim.faults = {.link_drops = 0.05,
                  .link_delays = 0.05,
                  .link_duplicates = 0.05,
                  .link_reorders = 0.05,
                  .until = 40s,
                  .most = 1000};
    finishes(sim, []() -> Task<Result<>> {
        const auto count = static_cast<std::uint8_t>(shard_count());
        auto nodes = co_await pubsub::SimAdapter::start({.nodes = count});
        co_await start_presence();
        std::vector<Reader> readers;
        std::multiset<std::string> names;
        for (std::uint8_t i = 0; i < 2 * count; ++i) {
            readers.push_back({co_await connect_on(i % count), "feed:a"});
            Reader& reader = readers.back();
            const std::string name = "c" + std::to_string(i);
            names.insert(name);
            auto joined = co_await reader.client.join("feed:a", named(name));
            for (const JsonMember& epoch : joined.response["resume"]["position"].as_object())
                reader.seen[epoch.key] = *epoch.value.get<std::int64_t>();
        }
        std::size_t said = 0;
        for (int step = 0; step < 60; ++step) {
            Reader& reader = readers[random().below(readers.size())];
            (void)co_await reader.client.push("feed:a", "say", n(step));
            ++said;
            const auto node = static_cast<std::uint8_t>(random().below(count));
            if (random().chance(0.05)) nodes->isolate(node);
            if (random().chance(0.1)) nodes->heal();
            co_await bennu::sleep(std::chrono::milliseconds(random().below(300)));
        }
        nodes->heal();
        co_await bennu::sleep(200s);
        for (Reader& reader : readers) {
            co_await reader.read();
            EXPECT_EQ(reader.names(), names);
            // Whoever was not given everything was told so.
            EXPECT_TRUE(reader.said == static_cast<int>(said) || reader.resyncs > 0);
        }
        // The last message reaches everybody, now that nothing gets lost.
        (void)co_await readers[0].client.push("feed:a", "say", n(1000));
        for (Reader& reader : readers)
            EXPECT_EQ((co_await reader.client.next("said"))->payload["n"], Json(1000));
        co_return {};
    });
}

}  // namespace bennu::nodes_test
