// Long polling: what waits for clients, and how much of it may.
#include "bennu/channel/longpoll_test.hpp"
#include "bennu/channel/longpoll_transport.hpp"
#include "bennu/channel/poll_token.hpp"

namespace bennu::longpoll_test {

Task<> say(std::string topic, int first, int end) {
    for (int n = first; n < end; ++n)
        pubsub::broadcast(Topic(topic), "n", Json::object({{"n", n}}));
    co_await sleep(1ms);
}

/// The events of an answer, and the numbers of those that have one.
struct Heard {
    std::vector<std::string> events;
    std::vector<int> numbers;
    void take(const Json& answer) {
        for (const Json& text : answer["messages"].as_array()) {
            const Json frame = parse_json(text.as_string()).value();
            events.emplace_back(frame[3].as_string());
            if (const Json* n = frame[4].find("n"))
                numbers.push_back(static_cast<int>(n->as_int()));
        }
    }
};

std::vector<int> up_to(int end) {
    std::vector<int> numbers;
    for (int n = 0; n < end; ++n) numbers.push_back(n);
    return numbers;
}

TEST(LongPollBounds, what_is_sent_at_once_is_taken_in_several_polls) {
    with_poller(
        [](Poller& poller) -> Task<> {
            (void)co_await poller.open();
            co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
            (void)co_await poller.poll();
            // While it polls, and between two polls.
            for (Duration before : {Duration(1s), Duration::zero()}) {
                spawn_task([before]() -> Task<> {
                    co_await sleep(before);
                    co_await say("room:a", 0, 20);
                });
                if (before == Duration::zero()) co_await sleep(400ms);
                Heard heard;
                for (int polls = 0; polls < 3 && heard.numbers.size() < 20; ++polls)
                    heard.take(co_await poller.poll());
                EXPECT_EQ(heard.numbers, up_to(20));
            }
            // Again and again, by one that comes back each time.
            Heard heard;
            for (int round = 0; round < 10; ++round) {
                co_await say("room:a", 20 * round, 20 * (round + 1));
                co_await sleep(300ms);
                heard.take(co_await poller.poll());
            }
            EXPECT_EQ(heard.numbers, up_to(200));
        },
        rooms({.max_queued = 3}));
}

TEST(LongPollBounds, a_message_over_the_bounds_arrives_and_little_more_waits_beside_it) {
    SocketOptions options = rooms({.max_queued_bytes = 10'000});
    options.outbox.max_bytes = 30'000;
    with_poller(
        [](Poller& poller) -> Task<> {
            (void)co_await poller.open();
            co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
            (void)co_await poller.poll();
            auto say_large = [](std::size_t bytes) {
                pubsub::broadcast("room:a", "large",
                                  Json::object({{"x", std::string(bytes, 'x')}}));
            };
            say_large(100'000);
            co_await say("room:a", 0, 20);
            co_await sleep(5s);
            Json answer = co_await poller.poll();
            EXPECT_EQ(answer["messages"].size(), 21U);
            EXPECT_GT(answer["messages"][0].as_string().size(), 100'000U);
            // Between two polls there is room for more, for a while.
            say_large(100'000);
            say_large(20'000);
            co_await sleep(400ms);
            EXPECT_EQ((co_await poller.poll())["messages"].size(), 2U);
            say_large(100'000);
            say_large(20'000);
            co_await sleep(1s);
            EXPECT_EQ((co_await poller.poll())["status"], Json(410));
            (void)co_await poller.open();
            co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
            (void)co_await poller.poll();
            say_large(100'000);
            say_large(40'000);
            co_await sleep(1ms);
            EXPECT_EQ((co_await poller.poll())["status"], Json(410));
        },
        std::move(options));
}

TEST(LongPollBounds, what_was_missed_goes_out_over_several_polls) {
    for (auto policy : {OutboxOptions::Policy::disconnect, OutboxOptions::Policy::resync}) {
        SocketOptions options = rooms({.max_queued = 10});
        options.outbox.policy = policy;
        options.channels.push_back(
            channel<RoomChannel>("kept:*", {.durable = pubsub::DurableOptions{.keep = 60}}));
        with_poller(
            [](Poller& poller) -> Task<> {
                (void)co_await poller.open();
                co_await poller.post(R"(["1","1","kept:a","phx_join",{}])");
                const Json joined = parse_json(message(co_await poller.poll(), 0)).value();
                const std::string params = R"({"resume":{"position":)" +
                                           to_json(joined[4]["response"]["resume"]["position"]) +
                                           "}}";
                const std::string join = R"(["1","1","kept:a","phx_join",)" + params + "]";
                co_await poller.post(R"(["1","2","kept:a","phx_leave",{}])");
                (void)co_await poller.poll();
                co_await say("kept:a", 0, 50);
                (void)co_await poller.open();
                co_await poller.post(join);
                Heard heard;
                for (int polls = 0; polls < 12 && heard.numbers.size() < 53; ++polls) {
                    if (polls == 2) co_await say("kept:a", 50, 53);
                    Json answer = co_await poller.poll();
                    EXPECT_LE(answer["messages"].size(), 11U);
                    heard.take(answer);
                }
                EXPECT_EQ(heard.numbers, up_to(53));
                EXPECT_EQ(heard.events.front(), "phx_reply");

                // What is not kept for so long becomes a resync.
                (void)co_await poller.open();
                co_await poller.post(R"(["1","1","kept:a","phx_join",)" + params + "]");
                co_await sleep(10ms);
                for (int n = 53; n < 150; n += 5) co_await say("kept:a", n, n + 5);
                heard = {};
                for (int polls = 0; polls < 3; ++polls) heard.take(co_await poller.poll());
                EXPECT_EQ(std::ranges::count(heard.events, "resync"), 1);
                EXPECT_LE(heard.numbers.size(), 10U);
                co_await say("kept:a", 200, 201);
                heard.take(co_await poller.poll());
                EXPECT_EQ(heard.numbers.back(), 200);

                // One that leaves meanwhile, and one that goes away.
                const Json position = joined[4]["response"]["resume"]["position"];
                const std::string again =
                    R"(["1","1","kept:a","phx_join",{"resume":{"position":{")" +
                    position.as_object()[0].key + R"(":100}}}])";
                (void)co_await poller.open();
                co_await poller.post(again);
                co_await poller.post(R"(["1","2","kept:a","phx_leave",{}])");
                heard = {};
                while (heard.events.size() < 57) heard.take(co_await poller.poll());
                EXPECT_EQ(heard.numbers.size(), 54U);
                EXPECT_EQ(heard.events[55], "phx_reply");
                EXPECT_EQ(heard.events[56], "phx_close");
                co_await sleep(30s);
                channel_test::ended().clear();
                (void)co_await poller.open();
                co_await poller.post(again);
                (void)co_await poller.poll();
                co_await sleep(30s);
                EXPECT_EQ(channel_test::ended(), std::vector<std::string>{"kept:a shutdown"});
            },
            std::move(options));
    }
}

TEST(LongPollBounds, a_post_whose_answers_exceed_them_waits_for_the_polls) {
    SocketOptions options = rooms({.max_queued_bytes = 10'000});
    options.outbox.max_bytes = 30'000;
    with_poller(
        [](Poller& poller) -> Task<> {
            (void)co_await poller.open();
            co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
            (void)co_await poller.poll();
            std::string lines;
            for (int n = 0; n < 60; ++n) {
                lines += "[\"1\",\"" + std::to_string(n) + "\",\"room:a\",\"echo\",{\"x\":\"" +
                         std::string(2'000, 'x') + "\"}]\n";
            }
            int status = 0;
            spawn_task(
                [&poller, &status, lines]() -> Task<> { status = co_await poller.post(lines); });
            co_await sleep(1s);
            EXPECT_EQ(status, 0);
            int answers = 0;
            for (int polls = 0; polls < 20 && answers < 60; ++polls) {
                const Json answer = co_await poller.poll();
                for (const Json& text : answer["messages"].as_array()) {
                    const Json frame = parse_json(text.as_string()).value();
                    EXPECT_EQ(frame[1].as_string(), std::to_string(answers++));
                }
                EXPECT_LE(answer["messages"].size(), 20U);
            }
            EXPECT_EQ(answers, 60);
            co_await sleep(1ms);
            EXPECT_EQ(status, 200);

            // One that posts and never polls.
            spawn_task(
                [&poller, lines]() -> Task<> { EXPECT_NE(co_await poller.post(lines), 200); });
            spawn_task(
                [&poller, lines]() -> Task<> { EXPECT_NE(co_await poller.post(lines), 200); });
            co_await sleep(1s);
            EXPECT_EQ((co_await poller.poll())["status"], Json(410));
        },
        std::move(options));
}

/// As slow as a session on a shard that has too much to do.
struct Sluggish : phoenix::PollSocket {
    using PollSocket::PollSocket;
    Task<Result<>> init() {
        co_await sleep(60s);
        co_return {};
    }
};

TEST(LongPollBounds, a_post_that_is_not_accepted_in_time_is_answered_408) {
    LogCapture quiet;
    auto outcome = simulate({.shards = 1}, []() -> Task<Result<>> {
        const EndpointOptions options{.secret = Secret(std::string(32, 's'))};
        const KeyRing keys(options.secret, "bennu longpoll");
        Poller poller{serve(rooms(), options)};
        (void)co_await poller.open();
        auto token = phoenix::open_poll_token(keys, poller.token, wall_now());
        const Ref<Sluggish> session = spawn<Sluggish>(
            phoenix::PollSocket::Start{.options = std::make_shared<const SocketOptions>(rooms()),
                                       .info = {},
                                       .table = std::make_shared<net::ConnectionTable>(),
                                       .share = {},
                                       .owner = nullptr});
        token->session = session.pid();
        poller.token = phoenix::seal_poll_token(keys, *token, wall_now());
        const Instant began = now();
        EXPECT_EQ(co_await poller.post("[]"), 408);
        EXPECT_EQ(now() - began, 10s);
        kill(session.pid());
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

TEST(LongPollBounds, a_body_over_the_limit_is_answered_413_in_the_body) {
    with_poller(
        [](Poller& poller) -> Task<> {
            (void)co_await poller.open();
            TestResponse refused =
                co_await poller.send({.method = net::Method::post, .body = std::string(101, 'x')});
            EXPECT_EQ(refused.status, 200);
            EXPECT_EQ(refused.body, R"({"status":413})");
            EXPECT_EQ(co_await poller.post(R"(["1","1","room:a","phx_join",{}])"), 200);
        },
        rooms({.max_body = 100}));
}

}  // namespace bennu::longpoll_test
