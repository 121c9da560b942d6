// Long polling: what each request of the protocol's table is answered.
#include "bennu/channel/longpoll_test.hpp"

#include "bennu/channel/longpoll_route.hpp"
#include "bennu/channel/longpoll_transport.hpp"
#include "bennu/channel/poll_token.hpp"
#include "bennu/pubsub/adapter.hpp"

namespace bennu::longpoll_test {

TEST(LongPoll, opens_publishes_and_drains) {
    with_poller([](Poller& poller) -> Task<> {
        TestResponse first = co_await poller.send({});
        Json opened = first.json();
        EXPECT_EQ(opened["status"], Json(410));
        EXPECT_EQ(opened["messages"], Json::array());
        EXPECT_TRUE(first.body.starts_with(R"({"status":410,"token":")")) << first.body;
        poller.token = opened["token"].as_string();
        EXPECT_EQ(co_await poller.post("[\"1\",\"1\",\"room:a\",\"phx_join\",{}]\n"
                                       "[\"1\",\"2\",\"room:a\",\"echo\",{\"n\":\"\\\"\"}]\n"
                                       "AAEBBgUxM3Jvb206YWNyYXNoCQk="),
                  200);
        Json answer = co_await poller.poll();
        EXPECT_EQ(answer["status"], Json(200));
        EXPECT_EQ(answer["token"], Json(poller.token));
        EXPECT_EQ(message(answer, 0),
                  R"(["1","1","room:a","phx_reply",{"status":"ok","response":{}}])");
        EXPECT_EQ(message(answer, 1),
                  R"(["1","2","room:a","phx_reply",{"status":"ok","response":{"n":"\""}}])");
        // A binary push is taken; bytes cannot go back.
        EXPECT_EQ(
            message(answer, 2),
            R"(["1","3","room:a","phx_reply",{"status":"error","response":{"reason":"binary payloads need a WebSocket"}}])");
        // Any other content type: one frame.
        EXPECT_EQ(co_await poller.post(R"(["1","4","room:a","push",{}])", "text/plain"), 200);
        answer = co_await poller.poll();
        EXPECT_EQ(message(answer, 0), R"(["1",null,"room:a","pushed",{}])");
    });
}

TEST(LongPoll, a_waiting_poll_is_answered_at_once_and_an_idle_one_after_the_window) {
    with_poller([](Poller& poller) -> Task<> {
        (void)co_await poller.open();
        co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
        (void)co_await poller.poll();
        Instant began = now();
        Json answer = co_await poller.poll();
        EXPECT_EQ(answer["status"], Json(204));
        EXPECT_EQ(answer["messages"], Json::array());
        EXPECT_EQ(now() - began, 10s);
        began = now();
        spawn_task([]() -> Task<> {
            co_await sleep(3s);
            for (int n : {1, 2}) pubsub::broadcast("room:a", "news", Json::object({{"n", n}}));
        });
        answer = co_await poller.poll();
        EXPECT_EQ(now() - began, 3s);
        EXPECT_EQ(message(answer, 0), R"([null,null,"room:a","news",{"n":1}])");
        EXPECT_EQ(message(answer, 1), R"([null,null,"room:a","news",{"n":2}])");
    });
}

TEST(LongPoll, a_session_that_nobody_polls_ends_and_the_token_with_it) {
    with_poller([](Poller& poller) -> Task<> {
        (void)co_await poller.open();
        co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
        co_await sleep(14s);
        EXPECT_EQ((co_await poller.poll())["status"], Json(200));
        EXPECT_TRUE(channel_test::ended().empty());
        co_await sleep(17s);
        EXPECT_EQ(channel_test::ended(), std::vector<std::string>{"room:a shutdown"});
        EXPECT_EQ(co_await poller.post("[]"), 410);
        const std::string before = poller.token;
        EXPECT_EQ((co_await poller.poll())["status"], Json(410));
        EXPECT_NE(poller.token, before);
    });
}

TEST(LongPoll, a_second_poll_takes_the_first_ones_place) {
    with_poller([](Poller& poller) -> Task<> {
        (void)co_await poller.open();
        int first = 0;
        spawn_task([&]() -> Task<> {
            first = static_cast<int>((co_await poller.poll())["status"].as_int());
        });
        co_await sleep(1s);
        const Instant began = now();
        EXPECT_EQ((co_await poller.poll())["status"], Json(204));
        EXPECT_EQ(now() - began, 10s);
        EXPECT_EQ(first, 204);
    });
}

TEST(LongPoll, refuses_with_a_status_in_the_body) {
    with_poller([](Poller& poller) -> Task<> {
        EXPECT_EQ(co_await poller.post("[]"), 410);
        poller.token = "nonsense";
        EXPECT_EQ(co_await poller.post("[]"), 410);
        EXPECT_EQ((co_await poller.poll())["status"], Json(410));  // a new session
        for (std::string query : {"vsn=3.0.0", "vsn=2.0.0&_csrf_token=1&vsn%5Ba%5D=1"}) {
            Poller other{poller.client, {}, query};
            TestResponse refused = co_await other.send({});
            EXPECT_NE(refused.json()["status"], Json(410)) << query;
        }
        TestRequest foreign{.headers = {{"origin", "https://evil.example"}}};
        EXPECT_EQ((co_await poller.send(foreign)).body, R"({"status":403})");
        foreign.method = net::Method::post;
        EXPECT_EQ((co_await poller.send(foreign)).body, R"({"status":403})");
        foreign.method = net::Method::options;
        EXPECT_EQ((co_await poller.send(foreign)).body, R"({"status":403})");
        EXPECT_EQ((co_await poller.send({.headers = {{"origin", "https://friend.example"}}}))
                      .json()["status"],
                  Json(204));
        for (net::Method method :
             {net::Method::head, net::Method::put, net::Method::patch, net::Method::delete_}) {
            EXPECT_EQ((co_await poller.send({.method = method})).status, 400);
        }
    });
}

TEST(LongPoll, answers_preflights) {
    with_poller([](Poller& poller) -> Task<> {
        TestResponse response = co_await poller.send(
            {.method = net::Method::options,
             .headers = {{"origin", "https://friend.example"},
                         {"access-control-request-method", "POST"},
                         {"access-control-request-headers", "content-type, x-phoenix-authtoken"}}});
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "");
        EXPECT_EQ(response.header("access-control-allow-origin"), "*");
        EXPECT_EQ(response.header("access-control-allow-headers"),
                  "content-type, x-phoenix-authtoken");
        EXPECT_EQ(response.header("access-control-allow-methods"), "get, post, options");
        EXPECT_EQ(response.header("access-control-max-age"), "3600");
    });
}

TEST(LongPoll, asks_the_apps_connect) {
    SocketOptions options = rooms();
    std::string token;
    options.connect = [&](ConnectRequest request) -> Task<Result<Connected>> {
        token = request.auth_token;
        const std::string say = request.params.get<std::string>("say").value_or("");
        if (say == "deny") co_return Error(ErrorKind::unauthorized);
        if (say == "busy") co_return Error(ErrorKind::overloaded);
        if (say == "crash") throw std::runtime_error("on purpose");
        co_return Connected{.id = "users:1"};
    };
    with_poller(
        [&](Poller& poller) -> Task<> {
            const std::pair<std::string, int> rows[] = {
                {"deny", 403}, {"busy", 500}, {"crash", 500}};
            for (auto& [say, status] : rows) {
                Poller refused{poller.client, {}, "vsn=2.0.0&say=" + say};
                EXPECT_EQ((co_await refused.send({})).body,
                          R"({"status":)" + std::to_string(status) + "}");
            }
            TestResponse opened = co_await poller.send({.headers = {{"x-phoenix-authtoken", "s"}}});
            EXPECT_EQ(token, "s");
            poller.token = opened.json()["token"].as_string();
            spawn_task([]() -> Task<> {
                co_await sleep(1s);
                pubsub::broadcast("users:1", "disconnect");
            });
            EXPECT_EQ((co_await poller.poll())["status"], Json(410));
        },
        std::move(options));
}

TEST(LongPoll, takes_the_token_from_a_header_too) {
    with_poller([](Poller& poller) -> Task<> {
        (void)co_await poller.open();
        TestResponse response =
            co_await poller.client.request({.method = net::Method::post,
                                            .target = "/socket/longpoll?vsn=2.0.0",
                                            .headers = {{"x-phoenix-longpoll-token", poller.token}},
                                            .body = R"([null,"1","phoenix","heartbeat",{}])"});
        EXPECT_EQ(response.body, R"({"status":200})");
    });
}

TEST(LongPoll, speaks_version_one) {
    with_poller([](Poller& poller) -> Task<> {
        poller.query = "";
        (void)co_await poller.open();
        co_await poller.post(R"({"topic":"room:a","event":"phx_join","payload":{},"ref":"1"})");
        Json answer = co_await poller.poll();
        EXPECT_EQ(
            message(answer, 0),
            R"({"topic":"room:a","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"1"})");
    });
}

TEST(LongPoll, a_malformed_frame_ends_the_session) {
    for (std::string garbage : {"[1]", "no base64!", "AAEC", "{}"}) {
        with_poller([&](Poller& poller) -> Task<> {
            (void)co_await poller.open();
            co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
            (void)co_await poller.poll();
            int waiting = 0;
            spawn_task([&]() -> Task<> {
                waiting = static_cast<int>((co_await poller.poll())["status"].as_int());
            });
            co_await sleep(1s);
            EXPECT_EQ(co_await poller.post(garbage), 500) << garbage;
            co_await sleep(1s);
            EXPECT_EQ(waiting, 500);
            EXPECT_EQ(channel_test::ended(), std::vector<std::string>{"room:a shutdown"});
            EXPECT_EQ(co_await poller.post("[]"), 410);
        });
    }
}

TEST(LongPoll, bounds_what_clients_may_use) {
    with_poller(
        [](Poller& poller) -> Task<> {
            (void)co_await poller.open();
            std::string many;
            for (int n = 0; n < 101; ++n) many += "[null,null,\"phoenix\",\"heartbeat\",{}]\n";
            EXPECT_EQ(co_await poller.post(many), 413);
            // As a WebSocket closes with 1009.
            EXPECT_EQ(co_await poller.post("[" + std::string(70'000, ' ')), 500);
            TestResponse large =
                co_await poller.send({.method = net::Method::post, .body = std::string(10, 'x')});
            EXPECT_EQ(large.json()["status"], Json(410));

            // What nobody fetches ends the session.
            (void)co_await poller.open();
            co_await poller.post(R"(["1","1","room:a","phx_join",{}])");
            (void)co_await poller.poll();
            for (int n = 0; n < 4; ++n) pubsub::broadcast("room:a", "news");
            co_await sleep(1s);
            EXPECT_EQ((co_await poller.poll())["status"], Json(410));

            Poller second{poller.client};
            EXPECT_EQ(co_await second.open(), 410);
            Poller third{poller.client};
            EXPECT_EQ((co_await third.send({})).body, R"({"status":500})");
            co_await sleep(17s);
            EXPECT_EQ(co_await third.open(), 410);
        },
        rooms({.max_sessions = 2, .max_queued = 3}));
}

TEST(LongPoll, a_request_may_land_on_another_shard) {
    LogCapture quiet;
    auto outcome = simulate({.shards = 3}, [&]() -> Task<Result<>> {
        TestClient client = serve(rooms());
        Poller poller{client};
        (void)co_await poller.open();
        const std::string token = poller.token;
        static std::vector<std::string> said;
        said.clear();
        for (std::uint8_t shard : {1, 2}) {
            auto elsewhere = co_await spawn_on(shard, [client, token, shard] {
                return spawn_task([client, token, shard]() -> Task<> {
                    Poller here{client, token};
                    const std::string ref = std::to_string(shard);
                    EXPECT_EQ(co_await here.post("[\"" + ref + "\",\"" + ref + "\",\"room:" + ref +
                                                 "\",\"phx_join\",{}]"),
                              200);
                    Json answer = co_await here.poll();
                    said.push_back(message(answer, 0));
                });
            });
            (void)co_await exit_of(*elsewhere);
        }
        EXPECT_EQ(said, (std::vector<std::string>{
                            R"(["1","1","room:1","phx_reply",{"status":"ok","response":{}}])",
                            R"(["2","2","room:2","phx_reply",{"status":"ok","response":{}}])"}));
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

/// Two nodes in one program: what they publish reaches both anyhow.
struct NoHub : PubSubAdapter {
    void publish(const Broadcast&) override {}
};

TEST(LongPoll, a_request_that_lands_on_another_node_is_taken_to_its_session) {
    LogCapture quiet;
    auto outcome = simulate({.shards = 2}, []() -> Task<Result<>> {
        const EndpointOptions shared{.secret = Secret(std::string(32, 's'))};
        TestClient one = serve(rooms(), shared);
        TestClient two = serve(rooms(), shared);
        Poller poller{one};
        (void)co_await poller.open();
        // Nobody there to ask: gone at once.
        poller.client = two;
        Instant began = now();
        EXPECT_EQ(co_await poller.post("[]"), 410);
        EXPECT_EQ(now(), began);

        pubsub::use_adapter(std::make_shared<NoHub>());
        poller.client = one;
        (void)co_await poller.open();
        const std::string token = poller.token;
        poller.client = two;
        EXPECT_EQ(co_await poller.post("[\"1\",\"1\",\"room:a\",\"phx_join\",{}]\n"
                                       "AAEBBgQxM3Jvb206YWVjaG8JCQ=="),
                  200);
        Json answer = co_await poller.poll();
        EXPECT_EQ(answer["status"], Json(200));
        EXPECT_EQ(message(answer, 0),
                  R"(["1","1","room:a","phx_reply",{"status":"ok","response":{}}])");
        EXPECT_EQ(answer["messages"].size(), 2u);
        began = now();
        EXPECT_EQ((co_await poller.poll())["status"], Json(204));
        EXPECT_GE(now() - began, 10s);
        spawn_task([]() -> Task<> {
            co_await sleep(3s);
            pubsub::broadcast("room:a", "news");
        });
        EXPECT_EQ(message(co_await poller.poll(), 0), R"([null,null,"room:a","news",{}])");
        EXPECT_EQ(poller.token, token);
        EXPECT_EQ(co_await poller.post("garbage"), 500);
        EXPECT_EQ(co_await poller.post("[]"), 410);

        // A node that is gone does not answer: its clients begin anew after a second.
        poller.token =
            phoenix::seal_poll_token(KeyRing(shared.secret, "bennu longpoll"),
                                     {phoenix::draw_poll_node(), Pid(0, 1, 1)}, wall_now());
        began = now();
        EXPECT_EQ((co_await poller.poll())["status"], Json(410));
        EXPECT_LE(now() - began, 2s);
        pubsub::use_adapter(nullptr);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

/// As above, but it can tell nodes apart.
struct Post : PubSubAdapter {
    static bool relayed(const Broadcast& broadcast) {
        return broadcast.topic().starts_with("phx:poll:");
    }
    void publish(const Broadcast& broadcast) override { to_all += relayed(broadcast); }
    void publish_to(std::uint64_t node, const Broadcast& broadcast) override {
        EXPECT_EQ(node, 7u);
        directed += relayed(broadcast);
        pubsub::local_broadcast(broadcast);
    }
    std::uint64_t node() const override { return 7; }
    int to_all = 0;
    int directed = 0;
};

TEST(LongPoll, a_node_that_answered_is_asked_directly) {
    auto post = std::make_shared<Post>();
    auto outcome = simulate({.shards = 1}, [&]() -> Task<Result<>> {
        const EndpointOptions shared{.secret = Secret(std::string(32, 's'))};
        TestClient one = serve(rooms(), shared);
        TestClient two = serve(rooms(), shared);
        pubsub::use_adapter(post);
        Poller poller{one};
        (void)co_await poller.open();
        poller.client = two;
        for (int i = 0; i < 5; ++i)
            EXPECT_EQ(co_await poller.post("[\"1\",\"1\",\"room:a\",\"phx_join\",{}]"), 200);
        EXPECT_EQ(post->to_all, 1);
        EXPECT_EQ(post->directed, 4 + 5 + 5);  // what was asked, that it came, the answers
        pubsub::use_adapter(nullptr);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

TEST(LongPoll, tokens_cannot_be_made_or_taken_elsewhere) {
    const KeyRing keys(Secret(std::string(32, 'k')), "a");
    const KeyRing other(Secret(std::string(32, 'o')), "a");
    const Timestamp now{};
    const phoenix::PollToken token{phoenix::draw_poll_node(), Pid(3, 70'000, 9)};
    std::string text = phoenix::seal_poll_token(keys, token, now);
    auto opened = phoenix::open_poll_token(keys, text, now);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->session, token.session);
    EXPECT_EQ(opened->node, token.node);
    EXPECT_FALSE(phoenix::open_poll_token(other, text, now));
    EXPECT_FALSE(phoenix::open_poll_token(keys, text, now + std::chrono::days(15)));
    EXPECT_FALSE(phoenix::open_poll_token(keys, keys.seal("short", now), now));
    text[10] = text[10] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(phoenix::open_poll_token(keys, text, now));
}

TEST(LongPoll, can_be_left_out) {
    SocketOptions options = rooms();
    options.longpoll.reset();
    EXPECT_EQ(serve(std::move(options)).get("/socket/longpoll?vsn=2.0.0").status, 404);
}

TEST(LongPoll, reads_bodies) {
    auto frames = phoenix::read_poll_frames("application/x-ndjson; charset=utf-8",
                                            "[1]\r\n\n{}\nAQI=\nnot base64\n");
    ASSERT_TRUE(frames);
    ASSERT_EQ(frames->size(), 4u);
    EXPECT_EQ((*frames)[0].data, "[1]");
    EXPECT_FALSE((*frames)[1].binary);
    EXPECT_EQ((*frames)[2].data, "\x01\x02");
    EXPECT_TRUE((*frames)[3].binary);
    EXPECT_EQ((*frames)[3].data, "");
    frames = phoenix::read_poll_frames("", "[1]\n[2]");
    ASSERT_EQ(frames->size(), 1u);
    EXPECT_EQ((*frames)[0].data, "[1]\n[2]");
}

}  // namespace bennu::longpoll_test
