#include <gtest/gtest.h>

#include "bennu/pubsub/broadcast_wire.hpp"
#include "bennu/pubsub/hub/hub_client.hpp"
#include "bennu/pubsub/hub/hub_relay.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::pubsub::hub_test {

using namespace std::chrono_literals;

const SocketAddress hub_address{"127.0.0.1", 7000};

/// One node of the hub, and what it heard.
struct Node {
    std::uint64_t id;
    std::vector<std::string> heard;
    int gaps = 0;
    std::vector<std::uint64_t> gone;
    Ref<HubClient> client;

    explicit Node(std::uint64_t number) : id(number) {}
    void join(std::string token = "secret") {
        client = spawn<HubClient>(HubClientOptions{
            .address = hub_address,
            .token = std::move(token),
            .node = id,
            .receive =
                [this](std::uint64_t from, std::string_view data) {
                    heard.push_back(std::to_string(from) + ":" + std::string(data));
                },
            .gap = [this] { ++gaps; },
            .gone = [this](std::uint64_t other) { gone.push_back(other); }});
    }
    void say(std::string text, std::uint64_t to = 0) {
        cast(client, HubClient::Send{to, std::move(text)});
    }
};

Task<Result<Ref<HubRelay>>> start_hub(HubRelayOptions options = {}) {
    options.address = hub_address;
    options.token = "secret";
    co_return co_await start<HubRelay>({}, std::move(options));
}

/// Waits until so many nodes have said hello.
Task<> met(Ref<HubRelay> hub, std::size_t nodes) {
    while (co_await call(hub, HubRelay::Nodes{}) != nodes) co_await bennu::sleep(1ms);
}

Task<> until(Function<bool()> holds) {
    for (int i = 0; i < 20'000 && !holds(); ++i) co_await bennu::sleep(1ms);
    EXPECT_TRUE(holds());
}

BENNU_SIM_TEST(Hub, takes_messages_to_all_others_or_to_one_in_order, options) {
    options.shards = 1;
    Node a(1), b(2), c(3);
    finishes(options, [&]() -> Task<Result<>> {
        auto hub = co_await require(start_hub());
        for (Node* node : {&a, &b, &c}) node->join();
        co_await met(hub, 3);
        for (int i = 0; i < 100; ++i) a.say(std::to_string(i));
        b.say("only c", 3);
        b.say("nobody", 9);
        co_await until([&] { return b.heard.size() == 100 && c.heard.size() == 101; });
        co_return {};
    });
    EXPECT_TRUE(a.heard.empty());
    ASSERT_EQ(b.heard.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(b.heard[i], "1:" + std::to_string(i));
    std::erase(c.heard, "2:only c");
    EXPECT_EQ(c.heard, b.heard);
    EXPECT_EQ(a.gaps + b.gaps + c.gaps, 0);
}

BENNU_SIM_TEST(Hub, misses_nothing_that_is_said_once_it_has_been_met, options) {
    options.shards = 1;
    Node a(1), b(2);
    finishes(options, [&]() -> Task<Result<>> {
        a.join();
        co_await bennu::sleep(1s);  // no hub yet
        auto hub = co_await require(start_hub());
        co_await call(a.client, HubClient::Met{}, {.timeout = 60s});
        b.join();
        co_await call(b.client, HubClient::Met{}, {.timeout = 60s});
        a.say("hello");
        co_await until([&] { return b.heard.size() == 1; });
        // It has met it already.
        EXPECT_TRUE(co_await call(b.client, HubClient::Met{}));
        co_return {};
    });
    EXPECT_EQ(b.heard, std::vector<std::string>{"1:hello"});
    EXPECT_EQ(a.gaps + b.gaps, 0);
}

BENNU_SIM_TEST(Hub, turns_away_who_does_not_know_the_token, options) {
    options.shards = 1;
    LogCapture quiet(LogLevel::off);
    Node a(1), stranger(2);
    finishes(options, [&]() -> Task<Result<>> {
        auto hub = co_await require(start_hub());
        a.join();
        stranger.join("guessed");
        co_await met(hub, 1);
        stranger.say("let me in");
        a.say("hello");
        co_await bennu::sleep(5s);
        EXPECT_EQ(co_await call(hub, HubRelay::Nodes{}), 1U);
        co_return {};
    });
    EXPECT_TRUE(a.heard.empty());
    EXPECT_TRUE(stranger.heard.empty());
}

BENNU_SIM_TEST(Hub, a_node_that_was_cut_off_comes_back_and_knows_of_the_gap, options) {
    options.shards = 1;
    options.faults = {.resets = 0.05, .until = 3s};
    LogCapture quiet(LogLevel::off);
    Node a(1), b(2);
    finishes(options, [&]() -> Task<Result<>> {
        auto hub = co_await require(start_hub());
        a.join();
        b.join();
        for (int i = 0; i < 300; ++i) {
            a.say(std::to_string(i));
            co_await bennu::sleep(10ms);
        }
        co_await bennu::sleep(2s);
        co_await met(hub, 2);
        a.say("the end");
        co_await until([&] { return !b.heard.empty() && b.heard.back() == "1:the end"; });
        co_return {};
    });
    // Nothing twice, nothing out of order; what is missing was announced to one of the two.
    for (std::size_t i = 2; i < b.heard.size(); ++i) {
        if (b.heard[i] != "1:the end")
            EXPECT_LT(std::stoi(b.heard[i - 1].substr(2)), std::stoi(b.heard[i].substr(2)));
    }
    if (b.heard.size() < 301) EXPECT_GT(a.gaps + b.gaps, 0);
}

BENNU_SIM_TEST(Hub, tells_all_others_who_is_gone_after_its_last_message, options) {
    options.shards = 1;
    Node a(1), b(2), c(3);
    finishes(options, [&]() -> Task<Result<>> {
        auto hub = co_await require(start_hub());
        for (Node* node : {&a, &b, &c}) node->join();
        co_await met(hub, 3);
        a.say("last words");
        co_await bennu::sleep(1s);
        kill(a.client.pid());
        co_await until([&] { return b.gone.size() == 1 && c.gone.size() == 1; });
        co_return {};
    });
    EXPECT_EQ(b.heard, std::vector<std::string>{"1:last words"});
    EXPECT_EQ(b.gone, std::vector<std::uint64_t>{1});
    EXPECT_EQ(c.gone, std::vector<std::uint64_t>{1});
    EXPECT_EQ(b.gaps + c.gaps, 0);
}

BENNU_SIM_TEST(Hub, one_that_does_not_read_delays_nobody_and_is_told, options) {
    options.shards = 1;
    Node a(1), b(2), slow(3);
    finishes(options, [&]() -> Task<Result<>> {
        auto hub = co_await require(start_hub({.max_queued = 100'000}));
        a.join();
        b.join();
        co_await met(hub, 2);
        // Says hello by hand, and reads nothing for a while.
        SocketHandle socket = reactor().connect(hub_address).value();
        std::string hello;
        append_hub_frame(hello, {HubFrame::Kind::hello, 3, "secret"});
        co_await bennu::sleep(1s);
        (void)reactor().write(socket, hello);
        co_await met(hub, 3);
        for (int i = 0; i < 1000; ++i) {
            a.say(std::string(1000, 'x'));
            if (i % 50 == 0) co_await bennu::sleep(5ms);
        }
        co_await until([&] { return b.heard.size() == 1000; });
        // Now it reads everything; a gap comes at the end of what was kept for it.
        HubFrameReader reader;
        std::vector<char> buffer(65536);
        bool told = false;
        for (int i = 0; i < 10'000 && !told; ++i) {
            IoResult got = reactor().read(socket, buffer);
            if (got.kind != IoResult::Kind::done) {
                co_await bennu::sleep(1ms);
                continue;
            }
            reader.receive({buffer.data(), got.bytes});
            for (auto next = reader.next(); next.kind == HubFrameReader::Next::Kind::frame;
                 next = reader.next())
                told = told || next.frame.kind == HubFrame::Kind::gap;
        }
        EXPECT_TRUE(told);
        reactor().close(socket);
        co_return {};
    });
}

TEST(HubFrame, any_splitting_gives_the_same_frames) {
    std::string bytes;
    append_hub_frame(bytes, {HubFrame::Kind::hello, 7, "token"});
    append_hub_frame(bytes, {HubFrame::Kind::message, 0xfedcba9876543210, std::string(300, 'z')});
    append_hub_frame(bytes, {HubFrame::Kind::gap, 0, ""});
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        HubFrameReader reader;
        std::string seen;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            reader.receive(std::string_view(bytes).substr(at, step));
            for (auto next = reader.next(); next.kind == HubFrameReader::Next::Kind::frame;
                 next = reader.next())
                append_hub_frame(seen, next.frame);
        }
        EXPECT_EQ(seen, bytes) << step;
    }
}

TEST(HubFrame, refuses_what_is_no_frame) {
    for (std::string_view bad :
         {std::string_view("\x03\0\0\0\1\0\0", 7), std::string_view("\xff\xff\xff\xff", 4),
          std::string_view("\x09\0\0\0\x09", 5)}) {
        HubFrameReader reader;
        reader.receive(bad);
        EXPECT_EQ(reader.next().kind, HubFrameReader::Next::Kind::malformed);
    }
}

TEST(BroadcastWire, carries_text_and_bytes) {
    Broadcast text("room:1", "shout", Json::object({{"n", 1}}));
    Broadcast bytes("room:2", "blob", Bytes::copy(std::string_view("\0\1\2", 3)));
    for (const Broadcast& sent : {text, bytes}) {
        Result<Broadcast> got = decode_broadcast(encode_broadcast(sent));
        ASSERT_TRUE(got);
        EXPECT_EQ(got->topic(), sent.topic());
        EXPECT_EQ(got->event(), sent.event());
        EXPECT_EQ(got->data(), sent.data());
        EXPECT_EQ(got->is_binary(), sent.is_binary());
    }
    EXPECT_FALSE(decode_broadcast(""));
    EXPECT_FALSE(decode_broadcast(std::string_view("\1\0\xff\xff\0\0abc", 9)));
    EXPECT_FALSE(decode_broadcast(std::string_view("\2\0\0\0\0\0", 6)));
}

}  // namespace bennu::pubsub::hub_test
