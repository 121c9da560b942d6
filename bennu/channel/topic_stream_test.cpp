#include "bennu/channel/topic_stream.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/channel/topic_follower.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu::topic_stream_test {

using namespace std::chrono_literals;
using net::RawClient;
using Policy = OutboxOptions::Policy;

const SocketAddress address{"127.0.0.1", 4000};

/// Serves durable and other topics; `outbox` is that of each reader.
Task<> serve(OutboxOptions outbox = {}, std::uint32_t max_streams = 100) {
    pubsub::make_durable("kept:*", {.keep = 10});
    auto router = std::make_shared<Router>();
    mount_topic_stream(
        *router, "/events/:topic",
        {.authorize = [](Conn conn) -> Task<Result<Topic>> {
             if (conn.param("topic") == "secret")
                 co_return Error(ErrorKind::forbidden, "forbidden");
             co_return Topic(std::string(conn.param("topic")) + ":1");
         },
         .shows = [](const Broadcast& message) { return message.event() != "hidden"; },
         .outbox = std::move(outbox),
         .max_streams = max_streams,
         .events = {.heartbeat = 10s}});
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint({.port = 4000}, router));
    EXPECT_TRUE(co_await supervise({}, std::move(children)));
}

std::string request(std::string_view path, std::string_view last_event_id = {}) {
    std::string text = "GET " + std::string(path) + " HTTP/1.1\r\nHost: sim\r\n";
    if (!last_event_id.empty()) text += "Last-Event-ID: " + std::string(last_event_id) + "\r\n";
    return text + "\r\n";
}

Task<Ref<RawClient>> get(std::string path, std::string last_event_id = {}) {
    Ref<RawClient> client = *co_await start<RawClient>({}, address);
    cast(client, RawClient::Send{request(path, last_event_id)});
    co_return client;
}

/// What came until the text did.
Task<std::string> read(Ref<RawClient> client, std::string text) {
    co_return co_await call(client, RawClient::ReadUntil{std::move(text)}, {.timeout = 60s});
}

/// What follows the last `id: `, to the end of its line.
std::string last_id(const std::string& text) {
    const std::size_t at = text.rfind("id: ");
    if (at == std::string::npos) return {};
    return text.substr(at + 4, text.find('\n', at) - at - 4);
}

Json n(int number) {
    return Json::object({{"n", number}});
}

BENNU_SIM_TEST(TopicStream, shows_a_topics_broadcasts_until_its_reader_goes, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    finishes(sim, []() -> Task<Result<>> {
        co_await serve({}, 3);
        auto client = co_await get("/events/plain");
        co_await read(client, ":\n\n");
        co_await bennu::sleep(10ms);
        pubsub::broadcast("plain:1", "said", n(1));
        pubsub::broadcast("plain:1", "hidden", n(2));
        pubsub::broadcast("plain:1", "bytes", Bytes::copy("x"));
        pubsub::broadcast("plain:1", "two\nlines", n(3));
        pubsub::broadcast("plain:1", "said", n(4));
        const std::string text = co_await read(client, R"({"n":4})");
        EXPECT_TRUE(text.contains("content-type: text/event-stream"));
        EXPECT_TRUE(text.contains("event: said\ndata: {\"n\":1}\n\n")) << text;
        EXPECT_FALSE(text.contains(R"({"n":2})"));
        EXPECT_FALSE(text.contains(R"({"n":3})"));
        EXPECT_FALSE(text.contains("id: ")) << text;
        cast(client, RawClient::Disconnect{});
        co_await bennu::sleep(30s);
        for (std::uint8_t shard = 0; shard < shard_count(); ++shard) {
            auto left = co_await ask_shard<std::size_t>(
                shard, [] { return pubsub::subscriber_count("plain:1"); });
            EXPECT_EQ(*left, 0U);
        }
        EXPECT_TRUE((co_await read(co_await get("/events/secret"), "\r\n\r\n"))
                        .starts_with("HTTP/1.1 403"));
        std::vector<Ref<RawClient>> many;
        for (int i = 0; i < 3; ++i) {
            many.push_back(co_await get("/events/plain"));
            co_await read(many.back(), ":\n\n");
        }
        EXPECT_TRUE(
            (co_await read(co_await get("/events/plain"), "\r\n\r\n")).starts_with("HTTP/1.1 503"));
        co_return {};
    });
}

BENNU_SIM_TEST(TopicStream, resumes_behind_the_last_event_or_says_resync, sim) {
    LogCapture quiet;
    sim.shards = 1 + static_cast<unsigned>(sim.seed % 3);
    finishes(sim, []() -> Task<Result<>> {
        co_await serve();
        auto client = co_await get("/events/kept");
        std::string text = co_await read(client, "event: position");
        pubsub::broadcast("kept:1", "said", n(1));
        text = co_await read(client, R"("n":1)");
        const std::string first = last_id(text);
        EXPECT_TRUE(pubsub::read_position(*parse_json(first))) << first;
        cast(client, RawClient::Disconnect{});
        for (int i = 2; i < 5; ++i) pubsub::broadcast("kept:1", "said", n(i));

        auto back = co_await get("/events/kept", first);
        co_await read(back, R"("n":4)");
        pubsub::broadcast("kept:1", "said", n(5));
        text = co_await read(back, R"("n":5)");
        EXPECT_FALSE(text.contains("resync"));
        EXPECT_FALSE(text.contains(R"("n":1)"));
        std::size_t at = 0;
        for (int i = 2; i <= 5; ++i) {
            const std::size_t next = text.find("\"n\":" + std::to_string(i));
            EXPECT_NE(next, std::string::npos);
            EXPECT_LT(at, next);
            at = next;
        }
        for (int i = 6; i < 30; ++i) pubsub::broadcast("kept:1", "said", n(i));
        for (const std::string& old : {first, std::string("{\"x\":1}"), std::string("nonsense")}) {
            text = co_await read(co_await get("/events/kept", old), "event: resync");
            EXPECT_FALSE(text.contains("event: said"));
            co_await bennu::sleep(1ms);
        }
        co_return {};
    });
}

TEST(TopicQueue, bounds_what_a_slow_reader_costs) {
    auto options = [](Policy policy) {
        auto made = std::make_shared<TopicStreamOptions>();
        made->outbox = {
            .policy = policy,
            .slow_bytes = 1000,
            .max_bytes = 5000,
            .key = [](const Broadcast& message) { return std::string(message.event()); }};
        return made;
    };
    auto big = [](std::string event) {
        return Broadcast("t", event, Json::object({{"filler", std::string(500, 'x')}}));
    };
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        phoenix::TopicQueue ends(options(Policy::disconnect));
        for (int i = 0; i < 20; ++i) ends.take(big("e"));
        EXPECT_TRUE(ends.over());

        phoenix::TopicQueue loses(options(Policy::resync));
        for (int i = 0; i < 1000; ++i) loses.take(big("e"));
        EXPECT_FALSE(loses.over());
        EXPECT_TRUE(loses.loses());
        int events = 0;
        while (loses.next()) ++events;
        EXPECT_LT(events, 4);
        loses.loses_no_more();
        loses.tell("resync", {{"e1", 7}});
        EXPECT_EQ(loses.next()->id, R"({"e1":7})");

        phoenix::TopicQueue last(options(Policy::coalesce));
        for (int i = 0; i < 1000; ++i) last.take(big(i % 2 ? "odd" : "even"));
        while (last.next()) continue;
        EXPECT_TRUE(last.owes());
        last.release();
        EXPECT_EQ(last.next()->event, "even");
        EXPECT_EQ(last.next()->event, "odd");
        EXPECT_FALSE(last.next());
        for (int i = 0; i < 100; ++i) last.take(big("e" + std::to_string(i)));
        EXPECT_TRUE(last.over());
        co_return {};
    });
}

BENNU_SIM_TEST(TopicStream, a_reader_that_does_not_read_is_told_what_it_lost, sim) {
    LogCapture quiet;
    sim.shards = 1;
    finishes(sim, []() -> Task<Result<>> {
        co_await serve({.policy = Policy::resync, .slow_bytes = 20'000, .max_bytes = 500'000});
        SocketHandle slow = reactor().connect(address).value();
        co_await bennu::sleep(10ms);
        (void)reactor().write(slow, request("/events/kept"));
        auto quick = co_await get("/events/kept");
        co_await read(quick, "event: position");
        for (int i = 0; i < 150; ++i) {
            pubsub::broadcast("kept:1", "said",
                              Json::object({{"n", i}, {"filler", std::string(2000, 'x')}}));
            co_await bennu::sleep(1ms);
        }
        EXPECT_FALSE((co_await read(quick, R"("n":149)")).contains("resync"));
        std::string text;
        std::vector<char> buffer(100'000);
        for (int i = 0; i < 300; ++i) {
            IoResult got = reactor().read(slow, buffer);
            if (got.kind == IoResult::Kind::done) text.append(buffer.data(), got.bytes);
            if (got.kind != IoResult::Kind::done) co_await bennu::sleep(1ms);
        }
        EXPECT_TRUE(text.contains("event: resync"));
        EXPECT_FALSE(text.contains(R"("n":149)"));
        pubsub::broadcast("kept:1", "said", n(150));
        co_await bennu::sleep(10ms);
        IoResult got = reactor().read(slow, buffer);
        EXPECT_TRUE(std::string_view(buffer.data(), got.bytes).contains(R"("n":150)"));
        reactor().close(slow);
        co_return {};
    });
}

}  // namespace bennu::topic_stream_test
