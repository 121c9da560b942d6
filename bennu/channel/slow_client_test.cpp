// Clients that do not read, or read slowly, on the simulated network.
#include "bennu/channel/slow_client.hpp"

#include <gtest/gtest.h>

#include "bennu/channel/test_socket.hpp"
#include "bennu/net/websocket_frame.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/pubsub/durable.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu::slow_client_test {

using namespace std::chrono_literals;
using Policy = OutboxOptions::Policy;

struct NewsChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "push") push("pushed", payload);
        if (event == "large") {
            push("large", Json::object({{"text", std::string(2'000'000, 'l')}}));
            push("small");
        }
        co_return Reply::ok();
    }
};

/// A WebSocket client that reads when it is told to.
class Reader {
  public:
    explicit Reader(const SocketAddress& address) : socket_(reactor().connect(address).value()) {
        key_ = net::websocket_key();
        net::append_client_handshake(out_, {.host = "sim",
                                            .target = "/socket/websocket?vsn=2.0.0",
                                            .key = key_,
                                            .protocols = {},
                                            .extra = nullptr});
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { reactor().close(socket_); }

    Task<> open() {
        co_await sleep(10ms);
        write();
        while (!open_) {
            co_await sleep(1ms);
            fill();
            auto reply = net::read_client_handshake(in_, key_);
            EXPECT_TRUE(reply);
            open_ = reply->consumed > 0;
            in_.erase(0, reply->consumed);
        }
    }
    void send(std::string_view text) {
        net::encode_masked_frame(out_, net::Opcode::text, text, 0x01020304);
        write();
    }
    /// Reads what has come, at most `most` bytes.
    void read(std::size_t most = 1'000'000'000) {
        fill(most);
        while (true) {
            net::WebSocketEvent event = decoder_.next(in_);
            if (event.kind == net::WebSocketEvent::Kind::text)
                frames.push_back(phoenix::read_server_text(event.payload));
            in_.erase(0, event.consumed);
            if (event.kind != net::WebSocketEvent::Kind::text) break;
        }
    }
    Task<> read_all(Duration during = 200ms) {
        for (Instant end = now() + during; now() < end;) {
            read();
            co_await sleep(1ms);
        }
    }
    Task<> join(std::string topic, std::string params = "{}") {
        send("[\"1\",\"1\",\"" + topic + "\",\"phx_join\"," + params + "]");
        co_await read_all(100ms);
    }
    std::vector<const ChannelTest::Frame*> events(std::string_view event,
                                                  std::string_view topic = {}) const {
        std::vector<const ChannelTest::Frame*> found;
        for (const ChannelTest::Frame& frame : frames) {
            if (frame.event == event && (topic.empty() || frame.topic == topic))
                found.push_back(&frame);
        }
        return found;
    }

    std::vector<ChannelTest::Frame> frames;
    bool closed = false;

  private:
    void write() {
        IoResult done = reactor().write(socket_, out_);
        if (done.kind == IoResult::Kind::done) out_.erase(0, done.bytes);
    }
    void fill(std::size_t most = 1'000'000'000) {
        std::vector<char> buffer(std::min<std::size_t>(most, 64 * 1024));
        for (std::size_t got = 0; got < most;) {
            IoResult done = reactor().read(socket_, buffer);
            if (done.kind != IoResult::Kind::done || done.bytes == 0) {
                closed = closed || done.kind != IoResult::Kind::would_block;
                return;
            }
            in_.append(buffer.data(), done.bytes);
            got += done.bytes;
        }
    }

    SocketHandle socket_;
    std::string key_, in_, out_;
    net::WebSocketDecoder decoder_{net::WebSocketDecoder::Role::client, {.message = 10'000'000}};
    bool open_ = false;
};

Task<SocketAddress> serve(OutboxOptions outbox) {
    auto router = std::make_shared<Router>();
    mount_socket(
        *router,
        {.channels = {channel<NewsChannel>("plain:*"),
                      channel<NewsChannel>("kept:*", {.durable = pubsub::DurableOptions{}})},
         .outbox = std::move(outbox)});
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint({.port = 4000}, router));
    EXPECT_TRUE(co_await supervise({}, std::move(children)));
    co_return co_await call(whereis<net::HttpServer>("endpoint"), net::HttpServer::Address{});
}

Json note(int n) {
    return Json::object({{"n", n}, {"filler", std::string(1000, 'x')}});
}

/// Publishes to both topics while `slow` reads so much of it, and `quick` everything.
Task<> publish(int messages, Reader& slow, std::size_t reads, Reader& quick) {
    for (int n = 0; n < messages; ++n) {
        pubsub::broadcast("plain:a", "n", note(n));
        pubsub::broadcast("kept:a", "n", note(n));
        if (reads > 0) slow.read(reads);
        co_await sleep(1ms);
        quick.read();
    }
}

/// Whoever was quick got everything, in order, at once.
void expect_all(const Reader& reader, std::string_view topic, int messages) {
    auto got = reader.events("n", topic);
    EXPECT_EQ(got.size(), static_cast<std::size_t>(messages));
    for (std::size_t i = 0; i < got.size(); ++i)
        EXPECT_EQ(got[i]->payload["n"], Json(static_cast<int>(i)));
    EXPECT_TRUE(reader.events("resync").empty());
}

/// Each message of the durable topic came, or an event said that some did not.
void expect_told(const Reader& reader, int messages) {
    pubsub::Position position;
    int expected = 0;
    bool may_jump = false;
    for (const ChannelTest::Frame& frame : reader.frames) {
        if (frame.topic != "kept:a") continue;
        if (frame.event == "resync") {
            position = *pubsub::read_position(frame.payload["position"]);
            may_jump = true;
        } else if (frame.event == "n") {
            const auto epoch = std::string(frame.payload["_at"][0].as_string());
            const auto at = static_cast<std::uint64_t>(frame.payload["_at"][1].as_int());
            EXPECT_EQ(at, position[epoch] + 1);
            position[epoch] = at;
            const auto n = static_cast<int>(frame.payload["n"].as_int());
            if (!may_jump) EXPECT_EQ(n, expected);
            EXPECT_GE(n, expected);
            expected = n + 1;
            may_jump = false;
        }
    }
    ASSERT_EQ(position.size(), 1U);
    EXPECT_EQ(position.begin()->second, static_cast<std::uint64_t>(messages));
}

BENNU_SIM_TEST(SlowClient, one_that_does_not_read_is_told_once_what_it_lost, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    finishes(sim, []() -> Task<Result<>> {
        SocketAddress address =
            co_await serve({.policy = Policy::resync, .slow_bytes = 20'000, .max_bytes = 300'000});
        Reader slow(address), quick(address);
        for (Reader* reader : {&slow, &quick}) {
            co_await reader->open();
            for (auto topic : {"plain:a", "kept:a", "plain:quiet"}) co_await reader->join(topic);
        }
        co_await publish(150, slow, 0, quick);
        EXPECT_FALSE(slow.closed);
        co_await quick.read_all(100ms);
        expect_all(quick, "plain:a", 150);
        expect_all(quick, "kept:a", 150);
        co_await slow.read_all();
        EXPECT_LT(slow.events("n").size(), 300U);
        EXPECT_EQ(slow.events("resync", "plain:a").size(), 1U);
        EXPECT_EQ(slow.events("resync", "kept:a").size(), 1U);
        EXPECT_TRUE(slow.events("resync", "plain:quiet").empty());
        EXPECT_EQ(slow.events("resync", "plain:a")[0]->payload,
                  Json::object({{"position", Json::object()}}));
        expect_told(slow, 150);
        // And is a client like all others again.
        pubsub::broadcast("plain:a", "after");
        pubsub::broadcast("kept:a", "after");
        co_await slow.read_all(100ms);
        EXPECT_EQ(slow.events("after").size(), 2U);
        co_return {};
    });
}

BENNU_SIM_TEST(SlowClient, one_that_reads_slowly_gets_all_or_is_told_each_time, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    finishes(sim, []() -> Task<Result<>> {
        SocketAddress address =
            co_await serve({.policy = Policy::resync, .slow_bytes = 5'000, .max_bytes = 300'000});
        Reader slow(address), quick(address);
        for (Reader* reader : {&slow, &quick}) {
            co_await reader->open();
            for (auto topic : {"plain:a", "kept:a"}) co_await reader->join(topic);
        }
        co_await publish(200, slow, 200 + random().below(1500), quick);
        co_await quick.read_all(100ms);
        expect_all(quick, "plain:a", 200);
        co_await slow.read_all();
        EXPECT_FALSE(slow.closed);
        expect_told(slow, 200);
        co_return {};
    });
}

BENNU_SIM_TEST(SlowClient, the_last_message_of_each_key_waits_for_it, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 2);
    finishes(sim, []() -> Task<Result<>> {
        SocketAddress address = co_await serve(
            {.policy = Policy::coalesce,
             .slow_bytes = 10'000,
             .max_bytes = 300'000,
             .key = [](const Broadcast& message) {
                 const Json* key = message.payload().find("key");
                 return key ? message.topic().str() + std::string(key->as_string()) : std::string();
             }});
        Reader slow(address);
        co_await slow.open();
        co_await slow.join("plain:a");
        auto price = [](std::string key, int n) {
            return Json::object({{"key", key}, {"n", n}, {"filler", std::string(1000, 'x')}});
        };
        for (int n = 0; n < 200; ++n) {
            pubsub::broadcast("plain:a", "price", price(n % 2 ? "odd" : "even", n));
            if (n == 150) pubsub::broadcast("plain:a", "once");
            if (n % 40 == 0) slow.send(R"(["1","9","plain:a","push",{"key":"push"}])");
            co_await sleep(1ms);
        }
        EXPECT_TRUE(slow.events("once").empty());
        co_await slow.read_all();
        EXPECT_FALSE(slow.closed);
        auto prices = slow.events("price");
        EXPECT_LT(prices.size(), 100U);
        EXPECT_EQ(prices[prices.size() - 2]->payload["n"], Json(198));
        EXPECT_EQ(prices.back()->payload["n"], Json(199));
        EXPECT_EQ(slow.events("once").size(), 1U);
        EXPECT_GE(slow.events("pushed").size(), 1U);
        EXPECT_LT(slow.events("pushed").size(), 5U);
        EXPECT_EQ(slow.events("phx_reply").size(), 6U);
        co_return {};
    });
}

TEST(SlowClient, one_that_lets_too_much_wait_is_disconnected_under_each_policy) {
    LogCapture quiet;
    for (Policy policy : {Policy::disconnect, Policy::coalesce}) {
        finishes({.shards = 1}, [policy]() -> Task<Result<>> {
            SocketAddress address =
                co_await serve({.policy = policy, .slow_bytes = 20'000, .max_bytes = 200'000});
            Reader slow(address), quick(address);
            for (Reader* reader : {&slow, &quick}) {
                co_await reader->open();
                co_await reader->join("plain:a");
            }
            co_await publish(400, slow, 0, quick);
            co_await quick.read_all(100ms);
            expect_all(quick, "plain:a", 400);
            co_await slow.read_all();
            EXPECT_TRUE(slow.closed);
            EXPECT_EQ(pubsub::subscriber_count("plain:a"), 1U);
            co_return {};
        });
    }
}

BENNU_SIM_TEST(SlowClient, a_message_over_the_bounds_makes_nobody_slow_who_reads, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 2);
    const Policy policy = sim.seed % 3 == 0 ? Policy::disconnect : Policy::resync;
    finishes(sim, [policy]() -> Task<Result<>> {
        SocketAddress address =
            co_await serve({.policy = policy, .slow_bytes = 20'000, .max_bytes = 200'000});
        Reader reader(address);
        co_await reader.open();
        for (auto topic : {"plain:a", "kept:a"}) co_await reader.join(topic);
        for (int round = 1; round <= 3; ++round) {
            reader.send(R"(["1","9","plain:a","large",{}])");
            // It takes a while, in which others speak.
            for (int n = 0; n < 5; ++n) {
                pubsub::broadcast("kept:a", "n", note(n));
                co_await sleep(1ms);
                reader.read(50'000);
            }
            co_await reader.read_all(300ms);
            EXPECT_EQ(reader.events("large").size(), static_cast<std::size_t>(round));
            EXPECT_EQ(reader.events("small").size(), static_cast<std::size_t>(round));
            EXPECT_EQ(reader.events("n").size(), static_cast<std::size_t>(5 * round));
        }
        EXPECT_TRUE(reader.events("resync").empty());
        EXPECT_FALSE(reader.closed);
        // One that does not read is bounded all the same.
        for (int n = 0; n < 3; ++n) {
            reader.send(R"(["1","9","plain:a","large",{}])");
            co_await sleep(10ms);
        }
        co_await reader.read_all(300ms);
        EXPECT_TRUE(reader.closed);
        co_return {};
    });
}

/// What a client that was away joins with.
std::string from(const pubsub::Position& position) {
    return to_json(
        Json::object({{"resume", Json::object({{"position", pubsub::to_json_value(position)}})}}));
}

BENNU_SIM_TEST(SlowClient, what_was_missed_on_many_topics_comes_as_it_is_read, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    const Policy policy = sim.seed % 2 == 0 ? Policy::disconnect : Policy::resync;
    finishes(sim, [policy]() -> Task<Result<>> {
        SocketAddress address =
            co_await serve({.policy = policy, .slow_bytes = 20'000, .max_bytes = 100'000});
        std::vector<std::string> topics;
        for (int n = 0; n < 8; ++n) topics.push_back("kept:" + std::to_string(n));
        Reader before(address), after(address);
        co_await before.open();
        for (const std::string& topic : topics) co_await before.join(topic);
        for (int n = 0; n < 100; ++n) {
            for (const std::string& topic : topics) pubsub::broadcast(Topic(topic), "n", note(n));
            co_await sleep(1ms);
        }
        co_await after.open();
        for (const std::string& topic : topics) {
            const auto joined = before.events("phx_reply", topic);
            const auto position =
                pubsub::read_position(joined.at(0)->payload["response"]["resume"]["position"]);
            after.send("[\"1\",\"1\",\"" + topic + "\",\"phx_join\"," + from(*position) + "]");
        }
        co_await sleep(100ms);
        // What comes meanwhile follows.
        pubsub::broadcast("kept:0", "n", note(100));
        co_await after.read_all(1s);
        EXPECT_FALSE(after.closed);
        for (const std::string& topic : topics)
            expect_all(after, topic, topic == "kept:0" ? 101 : 100);
        co_return {};
    });
}

BENNU_SIM_TEST(SlowClient, what_is_not_kept_until_it_is_read_becomes_a_resync, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    finishes(sim, []() -> Task<Result<>> {
        SocketAddress address = co_await serve({.slow_bytes = 20'000, .max_bytes = 100'000});
        Reader before(address), after(address);
        co_await before.open();
        co_await before.join("kept:a");
        const auto start = pubsub::read_position(
            before.events("phx_reply").at(0)->payload["response"]["resume"]["position"]);
        for (int n = 0; n < 200; ++n) pubsub::broadcast("kept:a", "n", note(n));
        co_await after.open();
        after.send(R"(["1","1","kept:a","phx_join",)" + from(*start) + "]");
        co_await sleep(100ms);
        for (int n = 200; n < 2000; ++n) pubsub::broadcast("kept:a", "n", note(n));
        co_await after.read_all(1s);
        EXPECT_EQ(after.events("resync").size(), 1U);
        pubsub::broadcast("kept:a", "n", note(2000));
        co_await after.read_all(100ms);
        EXPECT_FALSE(after.closed);
        auto got = after.events("n");
        EXPECT_GE(got.size(), 10U);
        EXPECT_LT(got.size(), 200U);
        for (std::size_t n = 0; n + 1 < got.size(); ++n)
            EXPECT_EQ(got[n]->payload["n"], Json(static_cast<int>(n)));
        EXPECT_EQ(got.back()->payload["n"], Json(2000));
        EXPECT_EQ(after.frames.at(after.frames.size() - 2).event, "resync");
        const auto position = pubsub::read_position(after.events("resync")[0]->payload["position"]);
        EXPECT_EQ(position->begin()->second, 2000U);
        co_return {};
    });
}

TEST(SlowClient, keeps_the_order_and_counts_what_it_keeps) {
    OutboxOptions options{
        .policy = Policy::coalesce, .max_bytes = 1000, .key = [](const Broadcast& message) {
            return message.event() == "free" ? std::string() : std::string(message.event());
        }};
    phoenix::SlowClient client(options);
    auto hold = [&](std::string topic, std::string event, std::string frame = {}) {
        return client.hold({Broadcast(Topic(topic), event, Json::object()), std::move(frame)});
    };
    EXPECT_TRUE(hold("t", "a"));
    EXPECT_TRUE(hold("t", "free"));
    EXPECT_TRUE(hold("u", "b"));
    const std::size_t bytes = client.bytes();
    EXPECT_TRUE(hold("t", "a"));
    EXPECT_EQ(client.bytes(), bytes);
    EXPECT_FALSE(hold("t", "free", std::string(1000, 'x')));
    client.forget("t");
    EXPECT_LT(client.bytes(), bytes);
    EXPECT_TRUE(hold("t", "a"));
    std::vector<std::string> order;
    for (auto& held : client.take()) order.push_back(std::string(held.message.event()));
    EXPECT_EQ(order, (std::vector<std::string>{"b", "a"}));
    EXPECT_TRUE(client.done());
    EXPECT_EQ(client.bytes(), 0U);
}

}  // namespace bennu::slow_client_test
