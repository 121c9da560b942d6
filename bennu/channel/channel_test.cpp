// Every row of the protocol's join, leave, close and error table, against a client without a
// network.
#include "bennu/channel/channel.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/channel/testing.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::channel_test {

using namespace std::chrono_literals;

std::vector<std::string>& ended() {
    static std::vector<std::string> list;
    return list;
}

struct Greeting {
    std::string name;
    int times = 1;
};
BENNU_RECORD(Greeting, name, times)

struct RoomChannel : Channel {
    struct Tick {
        int n;
    };
    Task<Join> join(Topic topic, Json params) override {
        if (topic == "room:closed") co_return Join::refuse(Json::object({{"reason", "closed"}}));
        if (topic == "room:boom") throw std::runtime_error("join fails");
        if (topic == "room:error") co_return Error(ErrorKind::unauthorized, "unauthorized");
        if (topic == "room:slow") co_await sleep(100ms);
        co_return Join::ok(params.size() > 0 ? Payload(params) : Payload());
    }
    Task<> after_join() override {
        if (topic() != "room:people") co_return;
        track(assigns()["name"].as_string());
        push_presence_state();
    }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "echo") co_return Reply::ok(payload);
        if (event == "status") co_return Reply::with_status("maybe");
        if (event == "silent") co_return Reply::none();
        if (event == "crash") throw std::runtime_error("handler fails");
        if (event == "stop") co_return Reply::ok(Json::object({{"bye", true}})).then_stop();
        if (event == "sleep") {
            co_await sleep(300ms);
            co_return Reply::ok();
        }
        if (event == "later") {
            later_ = later(event);
            send_after(ref_as<RoomChannel>(), Tick{7}, 50ms);
            co_return Reply::none();
        }
        if (event == "greet") {
            auto greeting = payload_as<Greeting>(payload);
            if (!greeting) co_return greeting.error();
            co_return Reply::ok(*greeting);
        }
        if (event == "listen") {
            subscribe("news");
            co_return Reply::ok();
        }
        if (event == "shout") {
            broadcast("shout", payload);
        } else if (event == "others") {
            broadcast_from("shout", payload);
        } else if (event == "push") {
            push("pushed", payload);
        } else {
            co_return unknown(event);
        }
        co_return Reply::none();
    }
    Task<Reply> handle_binary(Event event, Bytes data) override {
        if (event == "crashbin") throw std::runtime_error("binary handler fails");
        if (event == "shoutbin") broadcast("allbin", data);
        if (event == "pushbin") push("pushedbin", data);
        co_return Reply::ok(Bytes::copy(std::string(data.view()) + "\xff"));
    }
    Task<> handle_info(Broadcast message) override {
        push("heard",
             Json::object({{"topic", message.topic().view()}, {"event", message.event()}}));
        co_return;
    }
    void handle(Tick tick) { reply(later_, Reply::ok(Json::object({{"n", tick.n}}))); }
    Task<> terminate(ExitReason reason) override {
        ended().push_back(topic().str() + " " + std::string(to_string(reason.kind())));
        co_return;
    }

    ReplyRef later_;
};

struct FilterChannel : Channel {
    static constexpr std::string_view intercepted[] = {"secret", "loud"};
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    std::span<const std::string_view> intercept() const override { return intercepted; }
    Task<> handle_out(Broadcast message) override {
        if (message.event() == "loud") push("quiet", Json::object({{"was", message.payload()}}));
        co_return;
    }
};

std::shared_ptr<const SocketOptions> options(SocketLimits limits = {}) {
    return std::make_shared<const SocketOptions>(SocketOptions{
        .channels = {channel<RoomChannel>("room:*"), channel<FilterChannel>("filter")},
        .connect = [](ConnectRequest request) -> Task<Result<Connected>> {
            if (request.params["deny"].is_bool())
                co_return Error(ErrorKind::forbidden, "forbidden");
            std::string name = request.params.get<std::string>("name").value_or("nobody");
            co_return Connected{.assigns = Json::object({{"name", name}}), .id = "users:" + name};
        },
        .limits = limits});
}

/// Runs a test's body with one connected client.
template <typename Body>
void with_client(Body body, SocketLimits limits = {}) {
    LogCapture quiet;
    ended().clear();
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        ChannelTest client = *co_await ChannelTest::connect(options(limits));
        co_await body(client);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

std::string raw(const Result<ChannelTest::Frame>& frame) {
    return frame ? frame->text : "nothing came";
}

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

TEST(Socket, limits_channels_and_the_rate_of_joins) {
    with_client(
        [](ChannelTest& client) -> Task<> {
            EXPECT_EQ((co_await client.join("room:1")).status, "ok");
            EXPECT_EQ((co_await client.join("room:2")).status, "ok");
            auto refused = co_await client.join("room:3");
            EXPECT_EQ(refused.status, "error");
            EXPECT_EQ(refused.response["reason"], Json("too many channels joined"));
            EXPECT_EQ((co_await client.join("room:2")).status, "ok");  // in place of the first
        },
        {.max_channels = 2});
    with_client(
        [](ChannelTest& client) -> Task<> {
            for (int i = 0; i < 4; ++i) EXPECT_EQ((co_await client.join("room:a")).status, "ok");
            EXPECT_EQ((co_await client.join("room:a")).response["reason"],
                      Json("joining too fast"));
            co_await sleep(1s);
            EXPECT_EQ((co_await client.join("room:a")).status, "ok");
        },
        {.joins_per_second = 1, .join_burst = 3});
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
