// The rows of the protocol's join, leave, close and error table, against a client without a
// network.
#include "bennu/channel/session.hpp"

#include "bennu/channel/rooms_test.hpp"

namespace bennu::channel_test {

TEST(Socket, answers_heartbeats_and_nothing_else_on_its_own_topic) {
    with_client([](ChannelTest& client) -> Task<> {
        client.send_text(R"([null,"7","phoenix","heartbeat",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"([null,"7","phoenix","phx_reply",{"status":"ok","response":{}}])");
        client.send_text(R"([null,"8","phoenix","other",{}])");
        EXPECT_EQ(
            raw(co_await client.next()),
            R"([null,"8","phoenix","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}])");
    });
}

TEST(Socket, joins_replies_and_leaves) {
    with_client([](ChannelTest& client) -> Task<> {
        client.send_text(R"(["1","1","room:a","phx_join",{"x":1}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["1","1","room:a","phx_reply",{"status":"ok","response":{"x":1}}])");
        client.send_text(R"(["1","2","room:a","echo",{"n":[1]}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["1","2","room:a","phx_reply",{"status":"ok","response":{"n":[1]}}])");
        client.send_text(R"([null,"3","room:a","status",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["1","3","room:a","phx_reply",{"status":"maybe","response":{}}])");
        client.send_text(R"(["1","4","room:a","phx_leave",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["1","4","room:a","phx_reply",{"status":"ok","response":{}}])");
        EXPECT_EQ(raw(co_await client.next()), R"(["1","1","room:a","phx_close",{}])");
        EXPECT_EQ(ended(), std::vector<std::string>{"room:a shutdown"});
        client.send_text(R"(["1","5","room:a","echo",{}])");
        EXPECT_EQ(
            raw(co_await client.next()),
            R"([null,"5","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}])");
    });
}

TEST(Socket, refuses_joins) {
    with_client([](ChannelTest& client) -> Task<> {
        client.send_text(R"(["1","1","room:closed","phx_join",{}])");
        EXPECT_EQ(
            raw(co_await client.next()),
            R"(["1","1","room:closed","phx_reply",{"status":"error","response":{"reason":"closed"}}])");
        client.send_text(R"(["2","2","nowhere","phx_join",{}])");
        EXPECT_EQ(
            raw(co_await client.next()),
            R"([null,"2","nowhere","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}])");
        client.send_text(R"(["3","3","room:boom","phx_join",{}])");
        EXPECT_EQ(
            raw(co_await client.next()),
            R"(["3","3","room:boom","phx_reply",{"status":"error","response":{"reason":"join crashed"}}])");
        client.send_text(R"(["4","4","room:error","phx_join",{}])");
        EXPECT_EQ(
            raw(co_await client.next()),
            R"(["4","4","room:error","phx_reply",{"status":"error","response":{"reason":"unauthorized"}}])");
        // A join without a join_ref counts its ref as one.
        client.send_text(R"([null,"5","room:a","phx_join",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["5","5","room:a","phx_reply",{"status":"ok","response":{}}])");
        EXPECT_TRUE(ended().empty());
        EXPECT_FALSE(co_await client.next());
    });
}

TEST(Socket, a_second_join_replaces_the_first) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        client.send_text(R"(["5","5","room:a","phx_join",{}])");
        EXPECT_EQ(raw(co_await client.next()), R"(["1","1","room:a","phx_close",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["5","5","room:a","phx_reply",{"status":"ok","response":{}}])");
        // Stale: ignored. Current: answered once.
        client.send_text(R"(["1","6","room:a","echo",{}])");
        client.send_text(R"(["1","7","room:a","phx_leave",{}])");
        client.send_text(R"(["5","8","room:a","echo",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["5","8","room:a","phx_reply",{"status":"ok","response":{}}])");
        client.send_text(R"(["5","9","room:a","shout",{}])");
        EXPECT_EQ(raw(co_await client.next()), R"([null,null,"room:a","shout",{}])");
        EXPECT_FALSE(co_await client.next("shout"));
    });
}

TEST(Socket, a_join_that_is_replaced_before_it_ran_is_closed) {
    with_client([](ChannelTest& client) -> Task<> {
        client.send_text(R"(["1","1","room:a","phx_join",{}])");
        client.send_text(R"(["5","5","room:a","phx_join",{}])");
        EXPECT_EQ(raw(co_await client.next()), R"(["1","1","room:a","phx_close",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["5","5","room:a","phx_reply",{"status":"ok","response":{}}])");
        EXPECT_FALSE(co_await client.next());
        EXPECT_TRUE(ended().empty());
    });
}

TEST(Socket, a_join_may_overtake_a_leave) {
    with_client([](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        client.send_text(R"(["1","2","room:a","phx_leave",{}])");
        client.send_text(R"(["3","3","room:a","phx_join",{}])");
        EXPECT_EQ((co_await client.next("phx_reply"))->ref, Json("2"));
        EXPECT_EQ((co_await client.next("phx_reply"))->ref, Json("3"));
        EXPECT_EQ((co_await client.next("phx_close"))->ref, Json("1"));
        client.send_text(R"(["3","4","room:a","echo",{}])");
        EXPECT_EQ((co_await client.next("phx_reply"))->ref, Json("4"));
        EXPECT_FALSE(co_await client.next());
    });
}

TEST(Socket, leaving_what_was_not_joined_is_fine) {
    with_client([](ChannelTest& client) -> Task<> {
        client.send_text(R"(["1","2","room:a","phx_leave",{}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["1","2","room:a","phx_reply",{"status":"ok","response":{}}])");
    });
}

TEST(Socket, closes_on_garbage) {
    for (std::string garbage :
         {"no json", "[1]", R"({"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"})"}) {
        with_client([&](ChannelTest& client) -> Task<> {
            (void)co_await client.join("room:a");
            client.send_text(garbage);
            EXPECT_EQ(co_await client.closed(), 1011);
            co_await sleep(10ms);
            EXPECT_EQ(ended(), std::vector<std::string>{"room:a shutdown"});
        });
    }
}

TEST(Socket, reads_half_a_character_as_the_replacement_character) {
    with_client([](ChannelTest& client) -> Task<> {
        client.send_text(R"(["1","1","room:a","phx_join",{"title":"\ud83d"}])");
        EXPECT_EQ(raw(co_await client.next()),
                  "[\"1\",\"1\",\"room:a\",\"phx_reply\",{\"status\":\"ok\","
                  "\"response\":{\"title\":\"\xef\xbf\xbd\"}}]");
        client.send_text(R"(["1","2","room:\udc00","phx_leave",{}])");
        EXPECT_EQ((co_await client.next())->topic, "room:\xef\xbf\xbd");
        EXPECT_FALSE(co_await client.next());
    });
}

TEST(Socket, answers_a_payload_that_it_does_not_take) {
    with_client([](ChannelTest& client) -> Task<> {
        const auto refused = [](std::string_view refs, std::string_view topic) {
            return "[" + std::string(refs) + ",\"" + std::string(topic) +
                   "\",\"phx_reply\",{\"status\":\"error\","
                   "\"response\":{\"reason\":\"unreadable payload\"}}]";
        };
        client.send_text(R"([null,"1","room:a","phx_join",{"a":1,"a":2}])");
        EXPECT_EQ(raw(co_await client.next()), refused(R"("1","1")", "room:a"));
        client.send_text(R"(["2","2","room:a","phx_join",{}])");
        EXPECT_EQ((co_await client.next())->ref, Json("2"));
        client.send_text(R"([null,"3","room:a","echo",[1e999]])");
        EXPECT_EQ(raw(co_await client.next()), refused(R"("2","3")", "room:a"));
        client.send_text(R"(["2","4","room:a","echo",)" + std::string(65, '[') +
                         std::string(65, ']') + "]");
        EXPECT_EQ(raw(co_await client.next()), refused(R"("2","4")", "room:a"));
        // Nobody waits for an answer to this one.
        client.send_text(R"(["2",null,"room:a","echo",{"a":1,"a":2}])");
        client.send_text(R"(["2","5","room:a","echo",{"a":1}])");
        EXPECT_EQ(raw(co_await client.next()),
                  R"(["2","5","room:a","phx_reply",{"status":"ok","response":{"a":1}}])");
        EXPECT_TRUE(ended().empty());
        client.send_text(R"(["2","6","room:a","echo",{"a":}])");
        EXPECT_EQ(co_await client.closed(), 1011);
    });
}

TEST(Socket, speaks_version_one) {
    LogCapture quiet;
    simulate({}, []() -> Task<Result<>> {
        ConnectRequest request{.params = Json::object({{"vsn", "1.0.0"}})};
        ChannelTest client = *co_await ChannelTest::connect(options(), std::move(request));
        const std::pair<std::string, std::string> rows[] = {
            {R"({"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"})",
             R"({"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"1"})"},
            {R"({"topic":"room:a","event":"phx_join","payload":{"x":1},"ref":"2"})",
             R"({"topic":"room:a","event":"phx_reply","payload":{"status":"ok","response":{"x":1}},"ref":"2"})"},
            {R"({"topic":"room:a","event":"echo","payload":[1],"ref":"3"})",
             R"({"topic":"room:a","event":"phx_reply","payload":{"status":"ok","response":[1]},"ref":"3"})"},
            {R"({"topic":"room:a","event":"shout","payload":{},"ref":null})",
             R"({"topic":"room:a","event":"shout","payload":{},"ref":null})"},
            {R"({"topic":"room:a","event":"push","payload":{},"ref":null})",
             R"({"topic":"room:a","event":"pushed","payload":{},"ref":null})"},
            {R"({"topic":"room:a","event":"crash","payload":{},"ref":"4"})",
             R"({"topic":"room:a","event":"phx_error","payload":{"reason":"channel_crash"},"ref":"2"})"},
        };
        for (const auto& [sent, expected] : rows) {
            client.send_text(sent);
            EXPECT_EQ(raw(co_await client.next()), expected);
        }
        // Bytes do not fit into its frames.
        client.send_text(R"({"topic":"room:b","event":"phx_join","payload":{},"ref":"5"})");
        (void)co_await client.next();
        pubsub::broadcast("room:b", "bytes", Bytes::copy("x"));
        pubsub::broadcast("room:b", "text");
        EXPECT_EQ((co_await client.next())->event, "text");
        client.send_text(R"(["1","1","room:a","phx_join",{}])");
        EXPECT_EQ(co_await client.closed(), 1011);
        co_return {};
    });
}

TEST(Socket, limits_channels_and_the_rate_of_joins) {
    with_client(
        [](ChannelTest& client) -> Task<> {
            EXPECT_EQ((co_await client.join("room:1")).status, "ok");
            EXPECT_EQ((co_await client.join("room:2")).status, "ok");
            auto refused = co_await client.join("room:3");
            EXPECT_EQ(refused.status, "error");
            EXPECT_EQ(refused.response["reason"], Json("too many channels joined"));
            EXPECT_EQ((co_await client.join("room:2")).status, "ok");  // in place of the first
            EXPECT_EQ((co_await client.push("room:1", "echo", Json::object())).status, "ok");
        },
        {.max_channels = 2});
    with_client(
        [](ChannelTest& client) -> Task<> {
            for (int i = 0; i < 4; ++i) EXPECT_EQ((co_await client.join("room:a")).status, "ok");
            co_await sleep(10ms);
            const std::size_t before = ended().size();
            client.send_text(R"(["90","90","room:a","phx_join",{}])");
            EXPECT_EQ(
                raw(co_await client.next("phx_reply")),
                R"(["90","90","room:a","phx_reply",{"status":"error","response":{"reason":"joining too fast"}}])");
            // What was joined before goes on.
            client.send_text(R"([null,"91","room:a","echo",{}])");
            EXPECT_EQ((co_await client.next("phx_reply"))->ref, Json("91"));
            EXPECT_EQ(ended().size(), before);
            co_await sleep(1s);
            EXPECT_EQ((co_await client.join("room:a")).status, "ok");
        },
        {.joins_per_second = 1, .join_burst = 3});
}

TEST(Socket, limits_the_rate_of_messages_where_it_is_told_to) {
    with_client(
        [](ChannelTest& client) -> Task<> {
            EXPECT_EQ((co_await client.join("room:a")).status, "ok");
            for (int i = 0; i < 3; ++i) {
                EXPECT_EQ((co_await client.push("room:a", "echo", Json::object())).status, "ok");
            }
            client.send_text(R"([null,"8","room:a","echo",{}])");
            EXPECT_EQ(
                raw(co_await client.next()),
                R"(["1","8","room:a","phx_reply",{"status":"error","response":{"reason":"sending too fast"}}])");
            client.send_text(R"([null,"9","phoenix","heartbeat",{}])");
            EXPECT_EQ(
                raw(co_await client.next()),
                R"([null,"9","phoenix","phx_reply",{"status":"error","response":{"reason":"sending too fast"}}])");
            co_await sleep(1s);
            EXPECT_EQ((co_await client.push("room:a", "echo", Json::object())).status, "ok");
            // A channel that its client has given up must not go on.
            client.send_text(R"(["1","10","room:a","phx_leave",{}])");
            EXPECT_EQ(raw(co_await client.next("phx_reply")),
                      R"(["1","10","room:a","phx_reply",{"status":"ok","response":{}}])");
        },
        {.messages_per_second = 1, .message_burst = 3});
    with_client([](ChannelTest& client) -> Task<> {
        for (int i = 0; i < 2000; ++i) {
            client.send_text(R"([null,"9","phoenix","heartbeat",{}])");
            EXPECT_EQ((co_await client.next())->payload["status"], Json("ok"));
        }
    });
}

TEST(Socket, disconnect_on_its_id_closes_it) {
    with_client([](ChannelTest& client) -> Task<> {
        pubsub::broadcast("users:nobody", "hello");
        EXPECT_EQ(co_await client.closed(), 0);
        pubsub::broadcast("users:nobody", "disconnect");
        EXPECT_EQ(co_await client.closed(), 1001);
    });
    simulate({}, []() -> Task<Result<>> {
        auto refused =
            co_await ChannelTest::connect(options(), {.params = Json::object({{"deny", true}})});
        EXPECT_FALSE(refused);
        co_return {};
    });
}

}  // namespace bennu::channel_test
