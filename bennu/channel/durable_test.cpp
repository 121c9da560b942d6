// Durable topics as the clients of channels see them.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/channel/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::durable_channel_test {

using namespace std::chrono_literals;

struct FeedChannel : Channel {
    Task<Join> join(Topic topic, Json) override {
        if (topic == "feed:bare") co_return Join::ok(Json(5));
        if (topic == "feed:closed") co_return Join::refuse();
        co_return Join::ok(Json::object({{"hello", true}, {"resume", "is ours"}}));
    }
    Task<> after_join() override {
        push("after_join");
        co_return;
    }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "say") broadcast("said", payload);
        if (event == "others") broadcast_from("said", payload);
        co_return Reply::ok();
    }
};

struct FilterChannel : Channel {
    static constexpr std::string_view intercepted[] = {"loud", "secret", "same"};
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    std::span<const std::string_view> intercept() const override { return intercepted; }
    Task<> handle_out(Broadcast message) override {
        if (message.event() == "loud")
            push("quiet", Json::object({{"was", message.payload()["n"]}}));
        if (message.event() == "loud") push("echo");
        if (message.event() == "same") co_await Channel::handle_out(message);
    }
};

std::shared_ptr<const SocketOptions> options(pubsub::DurableOptions durable = {}) {
    return std::make_shared<const SocketOptions>(
        SocketOptions{.channels = {channel<FeedChannel>("feed:*", {.durable = durable}),
                                   channel<FeedChannel>("plain:*"),
                                   channel<FilterChannel>("filter", {.durable = durable})}});
}

Json from(const Json& position) {
    return Json::object({{"resume", Json::object({{"position", position}})}});
}
Json n(int number) {
    return Json::object({{"n", number}});
}
/// Where a client is that has handled this message.
Json after(const ChannelTest::Frame& message) {
    return Json::object(
        {{std::string(message.payload["_at"][0].as_string()), message.payload["_at"][1]}});
}

/// Runs the body; each `ChannelTest` in it is another connection.
void with_clients(Function<Task<>()> body) {
    LogCapture quiet;
    for (unsigned shards = 1; shards <= 3; ++shards) {
        finishes({.seed = shards, .shards = shards}, [&]() -> Task<Result<>> {
            co_await body();
            co_return {};
        });
    }
}

TEST(DurableChannel, gives_what_was_missed_after_the_reply_and_before_what_is_new) {
    with_clients([]() -> Task<> {
        auto one = *co_await ChannelTest::connect(options());
        auto joined = co_await one.join("feed:a");
        EXPECT_EQ(joined.response["hello"], Json(true));
        EXPECT_EQ(joined.response["resume"]["status"], Json("new"));
        Json position = joined.response["resume"]["position"];
        EXPECT_EQ(position.size(), 1U);
        EXPECT_EQ(position.as_object()[0].value, Json(0));
        (void)co_await one.push("feed:a", "say", n(1));
        auto first = co_await one.next("said");
        EXPECT_EQ(first->payload["n"], Json(1));
        EXPECT_EQ(first->payload["_at"][1], Json(1));
        EXPECT_EQ(first->join_ref, Json());
        one.disconnect();

        auto other = *co_await ChannelTest::connect(options());
        (void)co_await other.join("feed:a");
        for (int i = 2; i <= 4; ++i) (void)co_await other.push("feed:a", "say", n(i));
        auto back = *co_await ChannelTest::connect(options());
        joined = co_await back.join("feed:a", from(after(*first)));
        EXPECT_EQ(joined.response["resume"],
                  Json::object({{"status", "resumed"}, {"position", after(*first)}}));
        EXPECT_EQ(joined.response["hello"], Json(true));
        (void)co_await other.push("feed:a", "say", n(5));
        for (int i = 2; i <= 4; ++i) EXPECT_EQ((co_await back.next())->payload["n"], Json(i));
        EXPECT_EQ((co_await back.next("said"))->payload["n"], Json(5));
        // With nothing missed, resumed with none.
        auto last = co_await other.next("said");
        for (int i = 3; i <= 5; ++i) last = co_await other.next("said");
        joined = co_await back.join("feed:a", from(after(*last)));
        EXPECT_EQ(joined.response["resume"]["status"], Json("resumed"));
        (void)co_await other.push("feed:a", "say", n(6));
        EXPECT_EQ((co_await back.next("said"))->payload["n"], Json(6));
    });
}

TEST(DurableChannel, says_resync_when_it_cannot) {
    with_clients([]() -> Task<> {
        auto client = *co_await ChannelTest::connect(options({.keep = 3}));
        auto joined = co_await client.join("feed:a");
        Json start = joined.response["resume"]["position"];
        for (int i = 1; i <= 5; ++i) (void)co_await client.push("feed:a", "say", n(i));
        std::string epoch = start.as_object()[0].key;
        for (const Json& bad : {start, Json::object({{"another", 1}}), Json::object(), Json(5),
                                Json(), Json::object({{epoch, 6}}), Json::object({{epoch, -1}}),
                                Json::object({{epoch, 1}})}) {
            auto back = *co_await ChannelTest::connect(options({.keep = 3}));
            auto answer = co_await back.join("feed:a", from(bad));
            EXPECT_EQ(answer.status, "ok");
            EXPECT_EQ(answer.response["resume"]["status"], Json("resync")) << to_json(bad);
            EXPECT_EQ(answer.response["resume"]["position"], Json::object({{epoch, 5}}));
            EXPECT_EQ((co_await back.next())->event, "after_join");
            EXPECT_FALSE(co_await back.next());
        }
        auto answer = co_await client.join("feed:a", from(Json::object({{epoch, 2}})));
        EXPECT_EQ(answer.response["resume"]["status"], Json("resumed"));
    });
}

TEST(DurableChannel, leaves_other_topics_and_answers_alone) {
    with_clients([]() -> Task<> {
        auto client = *co_await ChannelTest::connect(options());
        auto plain = co_await client.join("plain:a", from(Json::object({{"x", 1}})));
        EXPECT_EQ(plain.response["resume"], Json("is ours"));
        (void)co_await client.push("plain:a", "say", n(1));
        EXPECT_FALSE((co_await client.next("said"))->payload.contains("_at"));
        EXPECT_EQ((co_await client.join("feed:bare")).response, Json(5));
        EXPECT_EQ((co_await client.join("feed:closed")).status, "error");
        // Payloads that are no objects go out, and are not kept.
        (void)co_await client.push("feed:bare", "say", Json(7));
        EXPECT_EQ((co_await client.next("said"))->payload, Json(7));
    });
}

TEST(DurableChannel, a_publisher_that_resumes_may_get_its_own_words) {
    with_clients([]() -> Task<> {
        auto client = *co_await ChannelTest::connect(options());
        auto joined = co_await client.join("feed:a");
        Json position = joined.response["resume"]["position"];
        (void)co_await client.push("feed:a", "others", n(1));
        (void)co_await client.push("feed:a", "say", n(2));
        EXPECT_EQ((co_await client.next("said"))->payload["n"], Json(2));
        client.disconnect();
        auto back = *co_await ChannelTest::connect(options());
        joined = co_await back.join("feed:a", from(position));
        EXPECT_EQ((co_await back.next("said"))->payload["n"], Json(1));
        EXPECT_EQ((co_await back.next("said"))->payload["n"], Json(2));
    });
}

TEST(DurableChannel, what_was_missed_is_intercepted_too) {
    with_clients([]() -> Task<> {
        auto client = *co_await ChannelTest::connect(options());
        auto joined = co_await client.join("filter");
        Json position = joined.response["resume"]["position"];
        const std::string epoch = position.as_object()[0].key;
        auto expect_all = [epoch](ChannelTest& reader) -> Task<> {
            auto quiet = co_await reader.next("quiet");
            EXPECT_EQ(quiet->payload, Json::object({{"was", 1}, {"_at", Json::array({epoch, 1})}}));
            // Only the first push stands for the message.
            EXPECT_EQ((co_await reader.next("echo"))->payload, Json::object());
            EXPECT_EQ((co_await reader.next("same"))->payload["_at"][1], Json(3));
            EXPECT_EQ((co_await reader.next("open"))->payload["_at"][1], Json(4));
        };
        for (auto event : {"loud", "secret", "same", "open"})
            pubsub::broadcast("filter", event, n(1));
        co_await expect_all(client);
        client.disconnect();
        auto back = *co_await ChannelTest::connect(options());
        joined = co_await back.join("filter", from(position));
        EXPECT_EQ(joined.response["resume"]["status"], Json("resumed"));
        co_await expect_all(back);
    });
}

BENNU_SIM_TEST(DurableChannel, clients_that_come_and_go_miss_nothing_while_all_publish, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    finishes(sim, []() -> Task<Result<>> {
        auto shared = options({.keep = 100'000, .max_bytes = 100'000'000});
        auto speaker = *co_await ChannelTest::connect(shared);
        (void)co_await speaker.join("feed:a");
        std::optional<ChannelTest> client;
        Json position;
        int expected = 1;
        auto take = [&](const ChannelTest::Frame& frame) {
            if (frame.event != "said") return;
            EXPECT_EQ(frame.payload["n"], Json(expected));
            ++expected;
            position = after(frame);
        };
        int said = 0;
        for (int round = 0; round < 20; ++round) {
            for (std::uint64_t i = random().below(10); i > 0; --i)
                speaker.send_text(R"(["1",null,"feed:a","say",{"n":)" + std::to_string(++said) +
                                  "}]");
            client = *co_await ChannelTest::connect(shared);
            auto joined = co_await client->join(
                "feed:a", position.is_null() ? Json::object() : from(position));
            EXPECT_EQ(joined.response["resume"]["status"],
                      Json(position.is_null() ? "new" : "resumed"));
            if (position.is_null()) {
                position = joined.response["resume"]["position"];
                expected = static_cast<int>(position.as_object()[0].value.as_int()) + 1;
            }
            for (std::uint64_t i = random().below(10); i > 0; --i)
                speaker.send_text(R"(["1",null,"feed:a","say",{"n":)" + std::to_string(++said) +
                                  "}]");
            for (std::uint64_t i = random().below(8); i > 0; --i) {
                auto frame = co_await client->next();
                if (frame) take(*frame);
            }
            client->disconnect();
        }
        client = *co_await ChannelTest::connect(shared);
        (void)co_await client->join("feed:a", from(position));
        while (expected <= said) {
            auto frame = co_await client->next();
            EXPECT_TRUE(frame);
            if (!frame) break;
            take(*frame);
        }
        co_return {};
    });
}

}  // namespace bennu::durable_channel_test
