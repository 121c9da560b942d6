// What an app's channel does, against a client without a network.
#include "bennu/channel/channel.hpp"

#include "bennu/channel/rooms_test.hpp"

namespace bennu::channel_test {

TEST(Channel, pushes_and_broadcasts) {
    with_client([](ChannelTest& one) -> Task<> {
        ChannelTest two = *co_await ChannelTest::connect(options());
        (void)co_await one.join("room:a");
        (void)co_await two.join("room:a");
        one.send_text(R"(["1","2","room:a","push",{"a":1}])");
        EXPECT_EQ(raw(co_await one.next()), R"(["1",null,"room:a","pushed",{"a":1}])");
        one.send_text(R"(["1","3","room:a","shout",{"a":2}])");
        EXPECT_EQ(raw(co_await one.next()), R"([null,null,"room:a","shout",{"a":2}])");
        EXPECT_EQ(raw(co_await two.next()), R"([null,null,"room:a","shout",{"a":2}])");
        one.send_text(R"(["1","4","room:a","others",{"a":3}])");
        EXPECT_EQ(raw(co_await two.next()), R"([null,null,"room:a","shout",{"a":3}])");
        EXPECT_FALSE(co_await one.next());
    });
}

TEST(Channel, binary_frames_byte_for_byte) {
    using namespace std::string_literals;
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        client.send_binary(
            "\x00\x01\x01\x06\x04"
            "13room:aecho\x07\x08"s);
        EXPECT_EQ(raw(co_await client.next()),
                  "\x01\x01\x01\x06\x02"
                  "13room:aok\x07\x08\xff"s);
        client.send_binary(
            "\x00\x01\x01\x06\x07"
            "14room:apushbin\x09"s);
        EXPECT_EQ(raw(co_await client.next()),
                  "\x00\x01\x06\x09"
                  "1room:apushedbin\x09"s);
        (void)co_await client.next();
        client.send_binary(
            "\x00\x01\x01\x06\x08"
            "15room:ashoutbin\x01\x02\x03"s);
        EXPECT_EQ(raw(co_await client.next()), "\x02\x06\x06room:aallbin\x01\x02\x03"s);
    });
}

TEST(Channel, answers_later_and_with_errors) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        EXPECT_EQ((co_await client.push("room:a", "later")).response["n"], Json(7));
        auto unknown = co_await client.push("room:a", "nonsense");
        EXPECT_EQ(unknown.status, "error");
        EXPECT_EQ(unknown.response["reason"], Json("unknown event nonsense"));
        EXPECT_EQ((co_await client.push("room:a", "silent")).status, "timeout");
        auto good =
            co_await client.push("room:a", "greet", Json::object({{"name", "Ada"}, {"times", 3}}));
        EXPECT_EQ(to_json(good.response), R"({"name":"Ada","times":3})");
        for (Json garbage :
             {Json(1), Json(), Json::array(), Json::object({{"name", 5}, {"times", "x"}})}) {
            auto bad = co_await client.push("room:a", "greet", garbage);
            EXPECT_EQ(bad.status, "error");
            EXPECT_GT(bad.response["reason"].as_string().size(), 0u);
        }
        auto fields =
            co_await client.push("room:a", "greet", Json::object({{"name", 5}, {"times", "x"}}));
        EXPECT_EQ(fields.response["errors"].size(), 2u);
        EXPECT_EQ(fields.response["errors"][0]["field"], Json("name"));
        EXPECT_EQ((co_await client.push("room:a", "echo")).status, "ok");
    });
}

// A fault ends one channel, not its socket and nobody else.
TEST(Channel, a_crash_stays_small) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        (void)co_await client.join("room:b");
        client.send_text(R"(["1","9","room:a","crash",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["1","1","room:a","phx_error",{"reason":"channel_crash"}])");
        EXPECT_EQ((co_await client.push("room:b", "echo")).status, "ok");
        EXPECT_EQ((co_await client.join("room:a")).status, "ok");
        EXPECT_EQ((co_await client.push("room:a", "echo")).status, "ok");
        EXPECT_EQ((co_await client.push_binary("room:b", "crashbin", "x")).status, "timeout");
        EXPECT_EQ((co_await client.next("phx_error"))->topic, "room:b");
        EXPECT_TRUE(ended().empty());
    });
}

TEST(Channel, the_reply_comes_before_the_end) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        client.send_text(R"(["1","2","room:a","stop",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["1","2","room:a","phx_reply",{"status":"ok","response":{"bye":true}}])");
        EXPECT_EQ(raw(co_await client.next()), R"(["1","1","room:a","phx_close",{}])");
        EXPECT_EQ(ended(), std::vector<std::string>{"room:a normal"});
    });
}

TEST(Channel, a_slow_handler_delays_only_itself) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        (void)co_await client.join("room:b");
        client.send_text(R"(["1","3","room:a","sleep",{}])");
        client.send_text(R"(["1","4","room:a","echo",{}])");
        client.send_text(R"(["2","5","room:b","echo",{}])");
        EXPECT_EQ((co_await client.next())->ref, Json("5"));
        EXPECT_EQ((co_await client.next())->ref, Json("3"));
        EXPECT_EQ((co_await client.next())->ref, Json("4"));
    });
}

TEST(Channel, a_flood_is_refused_while_it_is_busy) {
    with_client(
        [](ChannelTest& client) -> Task<> {
            (void)co_await client.join("room:a");
            client.send_text(R"(["1","2","room:a","sleep",{}])");
            co_await sleep(1ms);
            for (int i = 3; i <= 5; ++i) {
                client.send_text(R"(["1",")" + std::to_string(i) + R"(","room:a","echo",{}])");
            }
            EXPECT_EQ(
                raw(co_await client.next()),
                R"(["1","5","room:a","phx_reply",{"status":"error","response":{"reason":"overloaded"}}])");
            for (auto ref : {"2", "3", "4"}) EXPECT_EQ((co_await client.next())->ref, Json(ref));
            EXPECT_EQ((co_await client.push("room:a", "echo")).status, "ok");
        },
        {.max_waiting = 2});
}

TEST(Channel, a_replaced_channel_that_hangs_sends_nothing_more) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        client.send_text(R"(["1","2","room:a","sleep",{}])");
        client.send_text(R"(["3","3","room:a","phx_join",{}])");
        EXPECT_EQ((co_await client.next())->event, "phx_close");
        EXPECT_EQ((co_await client.next())->ref, Json("3"));
        EXPECT_FALSE(co_await client.next());
        EXPECT_EQ(ended(), std::vector<std::string>{"room:a shutdown"});
    });
}

TEST(Channel, waits_for_a_slow_join) {
    with_client([](ChannelTest& client) -> Task<> {
        client.send_text(R"(["1","1","room:slow","phx_join",{}])");
        client.send_text(R"(["1","2","room:slow","echo",{}])");
        client.send_text(R"(["1","3","room:slow","phx_leave",{}])");
        EXPECT_EQ((co_await client.next())->ref, Json("1"));
        EXPECT_EQ((co_await client.next())->ref, Json("2"));
        EXPECT_EQ((co_await client.next())->ref, Json("3"));
        EXPECT_EQ((co_await client.next())->event, "phx_close");
    });
}

TEST(Channel, intercepts_what_it_names) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("filter");
        pubsub::broadcast("filter", "secret", Json(1));
        pubsub::broadcast("filter", "loud", Json(2));
        pubsub::broadcast("filter", "plain", Json(3));
        EXPECT_EQ(raw(co_await client.next()), R"(["1",null,"filter","quiet",{"was":2}])");
        EXPECT_EQ(raw(co_await client.next()), R"([null,null,"filter","plain",3])");
    });
}

TEST(Channel, hears_other_topics) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        (void)co_await client.push("room:a", "listen");
        pubsub::broadcast("news", "headline");
        EXPECT_EQ((co_await client.next("heard"))->payload["event"], Json("headline"));
    });
}

TEST(Channel, ends_with_its_socket) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        (void)co_await client.join("room:b");
        client.send_text(R"(["1","3","room:a","sleep",{}])");
        co_await sleep(1ms);
        client.disconnect();
        co_await sleep(1s);
        EXPECT_EQ(pubsub::subscriber_count("room:a"), 0u);
        EXPECT_EQ(ended(), (std::vector<std::string>{"room:b shutdown", "room:a shutdown"}));
    });
}

TEST(Channel, shows_who_is_present) {
    with_client([](ChannelTest& watcher) -> Task<> {
        (void)co_await watcher.join("room:people");
        auto state = co_await watcher.next("presence_state");
        EXPECT_EQ(state->join_ref, Json("1"));
        EXPECT_EQ(state->payload["nobody"]["metas"].size(), 1u);
        co_await sleep(100ms);
        (void)co_await watcher.next("presence_diff");
        ChannelTest ada =
            *co_await ChannelTest::connect(options(), {.params = Json::object({{"name", "ada"}})});
        (void)co_await ada.join("room:people");
        EXPECT_EQ((co_await ada.next("presence_state"))->payload.size(), 2u);
        EXPECT_TRUE((co_await watcher.next("presence_diff"))->payload["joins"].contains("ada"));
        ada.disconnect();
        auto left = co_await watcher.next("presence_diff");
        EXPECT_TRUE(left->payload["leaves"].contains("ada"));
        EXPECT_EQ(left->payload["joins"].size(), 0u);
    });
}

// The budget of an idle joined socket is 1 KiB, all rooms together; these are ours.
TEST(Memory, idle_objects_are_small) {
    EXPECT_LE(sizeof(RoomChannel), sizeof(Channel) + sizeof(ReplyRef));
    EXPECT_LE(sizeof(Channel), 112u);
    EXPECT_EQ(sizeof(pubsub::Subscription), 16u);
}

}  // namespace bennu::channel_test
