#include "bennu/pubsub/pubsub.hpp"

#include <gtest/gtest.h>

#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::pubsub_test {

using namespace std::chrono_literals;
using namespace pubsub;

struct Note {
    std::string text;
};
BENNU_RECORD(Note, text)

struct Listener : Server {
    explicit Listener(std::string to) : topic(std::move(to)) {}
    struct Heard {
        using Reply = std::vector<std::string>;
    };
    Task<Result<>> init() {
        subscription = pubsub::subscribe(Ref<Listener>(self()), topic);
        co_return {};
    }
    void handle(Broadcast message) {
        heard.push_back(std::string(message.event()) + to_json(message.payload()));
    }
    std::vector<std::string> handle(Heard) { return heard; }

    std::string topic;
    std::vector<std::string> heard;
    pubsub::Subscription subscription;
};

Task<Ref<Listener>> listen(std::string topic) {
    co_return *co_await start<Listener>(SpawnOptions{}, std::move(topic));
}

/// Starts a listener on another shard.
Task<Ref<Listener>> listen_on(std::uint8_t shard, std::string topic) {
    Result<Pid> made = co_await spawn_on(shard, [topic] { return spawn<Listener>(topic).pid(); });
    auto listener = Ref<Listener>(made.value());
    // Its first answer comes after its subscription.
    (void)co_await call(listener, Listener::Heard{});
    co_return listener;
}

std::vector<std::string> texts(std::initializer_list<std::string> list) {
    return list;
}

TEST(Topic, matches_patterns_and_splits) {
    EXPECT_TRUE(topic_matches("room:*", "room:1"));
    EXPECT_TRUE(topic_matches("room:*", "room:"));
    EXPECT_FALSE(topic_matches("room:*", "room"));
    EXPECT_TRUE(topic_matches("room", "room"));
    EXPECT_FALSE(topic_matches("room", "room:1"));
    EXPECT_TRUE(topic_matches("*", "anything"));
    EXPECT_EQ(Topic("room:42").after("room:"), "42");
    EXPECT_FALSE(Topic("lobby").after("room:"));
    EXPECT_TRUE(Topic("a") == "a");
    EXPECT_TRUE(Topic() == "");
}

BENNU_SIM_TEST(PubSub, reaches_every_shard_in_the_publishers_order, sim) {
    sim.shards = 3;
    std::vector<std::string> near, far;
    auto outcome = simulate(sim, [&]() -> Task<Result<>> {
        auto here = co_await listen("room:1");
        auto there = co_await listen_on(2, "room:1");
        auto other = co_await listen("room:2");
        for (int i = 0; i < 3; ++i) broadcast("room:1", "n", Json(i));
        broadcast("room:1", "note", Note{"hi"});
        co_await sleep(10ms);
        near = co_await call(here, Listener::Heard{});
        far = co_await call(there, Listener::Heard{});
        EXPECT_TRUE((co_await call(other, Listener::Heard{})).empty());
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(near, texts({"n0", "n1", "n2", R"(note{"text":"hi"})"}));
    EXPECT_EQ(far, near);
}

// Real threads: the message is parsed and encoded once although two shards use it.
TEST(PubSub, MultiShard_delivers_between_threads) {
    std::vector<std::string> near, far;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        auto here = co_await listen("room:1");
        auto there = co_await listen_on(1, "room:1");
        for (int i = 0; i < 100; ++i) broadcast("room:1", "n", Json(i));
        while (far.size() < 100) far = co_await call(there, Listener::Heard{});
        near = co_await call(here, Listener::Heard{});
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(near.size(), 100u);
    EXPECT_EQ(far, near);
}

TEST(PubSub, leaves_out_the_publisher_and_the_dead) {
    std::vector<std::string> first, second;
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        auto one = co_await listen("t");
        auto two = co_await listen("t");
        auto dead = co_await listen("t");
        EXPECT_EQ(subscriber_count("t"), 3u);
        kill(dead.pid());
        EXPECT_EQ(subscriber_count("t"), 2u);
        broadcast_from(one.pid(), "t", "e");
        first = co_await call(one, Listener::Heard{});
        second = co_await call(two, Listener::Heard{});
        kill(one.pid());
        kill(two.pid());
        EXPECT_EQ(subscriber_count("t"), 0u);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(first.empty());
    EXPECT_EQ(second, texts({"e{}"}));
}

TEST(PubSub, subscriptions_may_end_during_a_fan_out) {
    static std::vector<pubsub::Subscription> others;
    static int delivered = 0;
    auto outcome = simulate({.shards = 1}, [&]() -> Task<Result<>> {
        auto count = [](Pid, const Broadcast&) {
            ++delivered;
            others.clear();
        };
        auto kept = subscribe_fastlane("t", self(), self(), count);
        for (int i = 0; i < 3; ++i)
            others.push_back(subscribe_fastlane("t", self(), self(), count));
        broadcast("t", "e");
        EXPECT_EQ(delivered, 1);
        EXPECT_EQ(subscriber_count("t"), 1u);
        broadcast("t", "e");
        EXPECT_EQ(delivered, 2);
        pubsub::Subscription moved = std::move(kept);
        EXPECT_FALSE(kept);
        moved.reset();
        EXPECT_EQ(subscriber_count("t"), 0u);
        broadcast("t", "e");
        EXPECT_EQ(delivered, 2);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

struct Recorder : PubSubAdapter {
    void publish(const Broadcast& broadcast) override {
        events.push_back(std::string(broadcast.event()));
    }
    std::vector<std::string> events;
};

TEST(PubSub, an_adapter_gets_broadcasts_but_not_local_ones) {
    auto recorder = std::make_shared<Recorder>();
    simulate({}, [&]() -> Task<Result<>> {
        use_adapter(recorder);
        broadcast("t", "a");
        local_broadcast("t", "b");
        broadcast_from(self(), "t", "c");
        use_adapter(nullptr);
        broadcast("t", "d");
        co_return {};
    });
    EXPECT_EQ(recorder->events, texts({"a", "c"}));
}

struct Directory : Recorder {
    void publish_to(std::uint64_t node, const Broadcast& broadcast) override {
        events.push_back(std::to_string(node) + ":" + std::string(broadcast.event()));
    }
    std::uint64_t node() const override { return 5; }
};

TEST(PubSub, one_node_is_reached_where_the_adapter_can) {
    auto plain = std::make_shared<Recorder>();
    auto directory = std::make_shared<Directory>();
    std::uint64_t none = 9, unnamed = 9, named = 9;
    simulate({}, [&]() -> Task<Result<>> {
        direct_broadcast(3, "t", "nowhere");
        none = own_node();
        use_adapter(plain);
        direct_broadcast(3, "t", "a");
        unnamed = own_node();
        use_adapter(directory);
        direct_broadcast(3, "t", "b");
        direct_broadcast(0, "t", "c");
        named = own_node();
        use_adapter(nullptr);
        co_return {};
    });
    EXPECT_EQ(plain->events, texts({"a"}));
    EXPECT_EQ(directory->events, texts({"3:b", "c"}));
    EXPECT_EQ(none, 0u);
    EXPECT_EQ(unnamed, 0u);
    EXPECT_EQ(named, 5u);
}

TEST(Broadcast, parses_and_encodes_once) {
    static int encodings = 0;
    Broadcast message("t", "e", Json::object({{"a", 1}}));
    auto encode = [](const Broadcast& b) {
        ++encodings;
        return "<" + std::string(b.data()) + ">";
    };
    EXPECT_EQ(message.encoded(Broadcast::Wire::phoenix_v2, encode), R"(<{"a":1}>)");
    EXPECT_EQ(message.encoded(Broadcast::Wire::phoenix_v2, encode), R"(<{"a":1}>)");
    EXPECT_EQ(encodings, 1);
    EXPECT_EQ(&message.payload(), &message.payload());
    EXPECT_EQ(message.payload()["a"], Json(1));
    Broadcast binary("t", "e", Bytes::copy("\x01\x02"));
    EXPECT_TRUE(binary.is_binary());
    EXPECT_EQ(binary.data(), "\x01\x02");
    EXPECT_TRUE(binary.payload().is_null());
    EXPECT_THROW(Broadcast(std::string(256, 'x'), "e", Bytes::copy("")), std::length_error);
}

}  // namespace bennu::pubsub_test
