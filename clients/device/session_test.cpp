#include "clients/device/session_test.hpp"

#include "clients/device/json_scan.hpp"

namespace bennu::device {
namespace session_tests {

TEST(DeviceSession, joins_pushes_and_hears) {
    World world;
    Channel& room =
        world.session.channel("room:a", world.noting({.params = [] { return R"({"name":"x"})"; }}));
    EXPECT_EQ(&world.session.channel("room:a"), &room);
    EXPECT_EQ(room.push("early"), PushResult::closed);
    room.join();
    world.connect();
    EXPECT_EQ(world.sent(), R"(["1","1","room:a","phx_join",{"name":"x"}])"
                            "\n");
    EXPECT_EQ(room.push("echo", R"({"n":1})", world.note("echo")), PushResult::accepted);
    EXPECT_EQ(world.sent(), "");
    world.answer("1", "room:a", R"({"hello":true})");
    EXPECT_EQ(world.sent(), R"(["1","2","room:a","echo",{"n":1}])"
                            "\n");
    world.answer("2", "room:a", R"({"n":1})");
    world.answer("2", "room:a", R"({"n":"nobody asked"})");
    world.receive(R"([null,null,"room:a","shout",{"text":"hi"}])");
    world.receive(R"(["1",null,"room:a","own",[]])");
    world.receive(R"(["7",null,"room:a","of another join",{}])");
    world.receive(R"([null,null,"room:b","of another topic",{}])");
    EXPECT_EQ(world.take_log(),
              "joined {\"hello\":true} 0\n"
              "echo: 0 ok {\"n\":1}\n"
              "shout {\"text\":\"hi\"}\n"
              "own []\n");
    room.leave();
    EXPECT_EQ(world.sent(), R"(["1","3","room:a","phx_leave",{}])"
                            "\n");
    EXPECT_EQ(room.push("late"), PushResult::closed);
    room.join();
    EXPECT_EQ(world.sent(), R"(["4","4","room:a","phx_join",{"name":"x"}])"
                            "\n");
}

TEST(DeviceSession, what_is_no_json_is_never_sent) {
    World world;
    Channel& room = world.session.channel("room:a");
    room.join();
    EXPECT_EQ(room.push("echo", "{\"n\":}"), PushResult::invalid);
    EXPECT_EQ(room.push("echo", ""), PushResult::invalid);
    EXPECT_EQ(room.push("echo", "{}],[1"), PushResult::invalid);
    EXPECT_EQ(room.push_binary(std::string(256, 'x'), "bytes"), PushResult::invalid);
}

TEST(DeviceSession, a_join_with_params_that_are_no_object_is_refused_here_and_tried_again) {
    World world;
    std::string params = "nonsense";
    Channel& room =
        world.session.channel("room:a", world.noting({.params = [&] { return params; }}));
    room.join();
    world.connect();
    EXPECT_EQ(world.sent(), "");
    params = "[1]";
    world.pass(1s);
    EXPECT_EQ(world.sent(), "");
    const std::string refused =
        "refused {\"reason\":\"invalid_params\","
        "\"message\":\"ChannelOptions::params gave no JSON object\"}\n";
    EXPECT_EQ(world.take_log(), refused + refused);
    params = R"({"name":"x"})";
    world.pass(3s);
    EXPECT_EQ(world.sent(), R"(["1","1","room:a","phx_join",{"name":"x"}])"
                            "\n");
}

TEST(DeviceSession, a_heartbeat_each_thirty_seconds_and_no_answer_ends_the_connection) {
    World world;
    world.connect();
    world.pass(29'999ms);
    EXPECT_EQ(world.sent(), "");
    world.pass(1ms);
    EXPECT_EQ(world.sent(), R"([null,"1","phoenix","heartbeat",{}])"
                            "\n");
    world.pass(10s);
    world.answer("1", "phoenix");
    world.pass(29'999ms);
    EXPECT_EQ(world.sent(), "");
    world.pass(1ms);
    EXPECT_EQ(world.sent(), R"([null,"2","phoenix","heartbeat",{}])"
                            "\n");
    world.pass(29'999ms);
    EXPECT_TRUE(world.session.open());
    world.pass(1ms);
    EXPECT_FALSE(world.session.open());
    EXPECT_EQ(world.session.deadline(), world.now + 1s);
}

TEST(DeviceSession, reconnects_after_one_five_and_ten_seconds) {
    World world;
    world.session.start(world.now);
    for (const Millis delay : {1s, 5s, 10s, 10s}) {
        EXPECT_TRUE(world.session.wants_connection());
        world.session.closed(world.now);
        world.pass(delay - 1ms);
        EXPECT_FALSE(world.session.wants_connection());
        world.pass(1ms);
    }
    // A connection that says nothing is not a success; one that was heard is.
    world.session.opened(world.now);
    world.session.closed(world.now);
    EXPECT_EQ(world.session.deadline(), world.now + 10s);
    world.pass(10s);
    world.session.opened(world.now);
    world.receive(R"([null,null,"x","y",{}])");
    world.session.closed(world.now);
    EXPECT_EQ(world.session.deadline(), world.now + 1s);
    world.session.stop(world.now);
    EXPECT_EQ(world.session.deadline(), std::nullopt);
    EXPECT_TRUE(world.session.stopped());
}

TEST(DeviceSession, jitter_makes_delays_longer_by_at_most_its_share) {
    World world({.reconnect = {.delays = {10s}, .jitter = 0.5}, .random = [] { return 0.5; }});
    world.session.start(world.now);
    world.session.closed(world.now);
    EXPECT_EQ(world.session.deadline(), world.now + 12'500ms);
    const Backoff standard = SessionOptions().rejoin;
    EXPECT_EQ(standard.delay(0, 0), 1s);
    EXPECT_LE(standard.delay(0, 0.999), 1200ms);
    EXPECT_EQ(standard.delay(99, 0), 10s);
}

TEST(DeviceSession, a_refused_join_is_tried_again_after_one_three_five_and_ten_seconds) {
    World world;
    Channel& room = world.session.channel("room:a", world.noting());
    room.join();
    world.connect();
    EXPECT_NE(world.sent(), "");
    int ref = 1;
    for (const Millis delay : {1s, 3s, 5s, 10s, 10s}) {
        world.answer(std::to_string(ref), "room:a", R"({"reason":"no"})", "error");
        EXPECT_EQ(world.take_log(), "refused {\"reason\":\"no\"}\n");
        world.pass(delay - 1ms);
        EXPECT_EQ(world.sent(), "") << delay.count();
        world.pass(1ms);
        const std::string sent = world.sent();
        EXPECT_NE(sent.find("phx_join"), std::string::npos) << delay.count();
        std::string text;
        ASSERT_TRUE(JsonScanner(std::string_view(sent).substr(1)).string(text));
        ref = std::stoi(text);
    }
}

TEST(DeviceSession, a_join_without_an_answer_is_left_and_tried_again) {
    World world;
    Channel& room = world.session.channel("room:a", world.noting());
    room.join();
    world.connect();
    EXPECT_NE(world.sent(), "");
    world.pass(10s);
    EXPECT_EQ(world.sent(), R"(["1","2","room:a","phx_leave",{}])"
                            "\n");
    world.answer("1", "room:a");
    EXPECT_FALSE(room.joined());
    world.pass(1s);
    EXPECT_EQ(world.sent(), R"(["3","3","room:a","phx_join",{}])"
                            "\n");
    world.answer("3", "room:a");
    EXPECT_TRUE(room.joined());
}

TEST(DeviceSession, a_crashed_channel_joins_again_and_a_closed_one_does_not) {
    World world;
    Channel& room = world.session.channel("room:a", world.noting());
    room.join();
    world.connect();
    (void)world.sent();
    world.answer("1", "room:a");
    EXPECT_EQ(room.push("boom", "{}", world.note("boom")), PushResult::accepted);
    (void)world.sent();
    world.receive(R"(["1","1","room:a","phx_error",{"reason":"channel_crash"}])");
    EXPECT_EQ(world.take_log(), "joined {} 0\nboom: 2  \nlost\n");
    world.pass(1s);
    EXPECT_EQ(world.sent(), R"(["3","3","room:a","phx_join",{}])"
                            "\n");
    world.answer("3", "room:a");
    world.receive(R"(["3","3","room:a","phx_close",{}])");
    EXPECT_EQ(world.take_log(), "joined {} 0\nclosed\n");
    world.pass(25s);
    EXPECT_EQ(world.sent(), "");
    EXPECT_EQ(room.push("x"), PushResult::closed);
}

TEST(DeviceSession, what_waits_while_offline_is_sent_in_order_after_the_join) {
    World world;
    Channel& room = world.session.channel("room:a", world.noting());
    room.join();
    EXPECT_EQ(room.push("first"), PushResult::accepted);
    world.connect();
    (void)world.sent();
    world.answer("1", "room:a");
    EXPECT_EQ(world.sent(), R"(["1","2","room:a","first",{}])"
                            "\n");
    EXPECT_EQ(room.push("under way", "{}", world.note("under way")), PushResult::accepted);
    (void)world.sent();
    world.take_log();
    world.session.closed(world.now);
    EXPECT_EQ(world.take_log(), "under way: 2  \nlost\n");
    for (const char* event : {"a", "b", "c"}) {
        EXPECT_EQ(room.push(event, "{}", world.note(event)), PushResult::accepted);
    }
    world.pass(3min);
    ASSERT_TRUE(world.session.wants_connection());
    world.session.opened(world.now);
    EXPECT_EQ(world.sent(), R"(["4","4","room:a","phx_join",{}])"
                            "\n");
    world.answer("4", "room:a");
    EXPECT_EQ(world.sent(),
              "[\"4\",\"5\",\"room:a\",\"a\",{}]\n"
              "[\"4\",\"6\",\"room:a\",\"b\",{}]\n"
              "[\"4\",\"7\",\"room:a\",\"c\",{}]\n");
    world.answer("6", "room:a");
    world.pass(10s);
    EXPECT_EQ(world.take_log(), "joined {} 0\nb: 0 ok {}\na: 1  \nc: 1  \n");
}

TEST(DeviceSession, a_full_queue_refuses_the_new_or_drops_the_oldest_as_declared) {
    World world;
    Channel& strict = world.session.channel("strict", {.queue = {.pushes = 2, .bytes = 20}});
    strict.join();
    EXPECT_EQ(strict.push("a"), PushResult::accepted);
    EXPECT_EQ(strict.push("b", R"("more than there is")"), PushResult::full);
    EXPECT_EQ(strict.push("b"), PushResult::accepted);
    EXPECT_EQ(strict.push("c"), PushResult::full);

    Channel& fresh = world.session.channel(
        "fresh",
        {.queue = {.pushes = 2, .bytes = 20, .overflow = QueueOptions::Overflow::drop_oldest}});
    fresh.join();
    EXPECT_EQ(fresh.push("a", "{}", world.note("a")), PushResult::accepted);
    EXPECT_EQ(fresh.push("b", "{}", world.note("b")), PushResult::accepted);
    EXPECT_EQ(fresh.push("c", "{}", world.note("c")), PushResult::accepted);
    EXPECT_EQ(world.take_log(), "a: 3  \n");
    EXPECT_EQ(fresh.push("d", R"("0123456789abcd")", world.note("d")), PushResult::accepted);
    EXPECT_EQ(world.take_log(), "b: 3  \n");
    EXPECT_EQ(fresh.push("e", R"("more than there is")", world.note("e")), PushResult::full);
    EXPECT_EQ(fresh.waiting(), 2U);
    fresh.leave();
    EXPECT_EQ(world.take_log(), "c: 4  \nd: 4  \n");
}

TEST(DeviceSession, a_network_that_takes_nothing_fills_the_queue_and_no_more) {
    World world;
    Channel& room = world.session.channel("room:a", {.queue = {.pushes = 10}});
    room.join();
    world.connect();
    (void)world.sent();
    world.answer("1", "room:a");
    int accepted = 0;
    // Nobody takes frames.
    for (int i = 0; i < 100; ++i) {
        if (room.push("x", "{}", [](const Reply&) {}) == PushResult::accepted) ++accepted;
        world.session.tick(world.now);
    }
    EXPECT_EQ(accepted, 10);
    EXPECT_TRUE(world.session.has_frame());
}

TEST(DeviceSession, channels_take_turns_and_what_was_not_sent_waits_for_the_next_connection) {
    World world;
    Channel& a = world.session.channel("a");
    Channel& b = world.session.channel("b");
    a.join();
    b.join();
    world.connect();
    (void)world.sent();
    world.answer("1", "a");
    world.answer("2", "b");
    for (const char* event : {"x", "y"}) {
        EXPECT_EQ(a.push(event), PushResult::accepted);
        EXPECT_EQ(b.push(event), PushResult::accepted);
    }
    const auto first = world.session.next_frame(world.now);
    const auto second = world.session.next_frame(world.now);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->data, R"(["1","3","a","x",{}])");
    EXPECT_EQ(second->data, R"(["2","4","b","x",{}])");
    world.session.closed(world.now);
    EXPECT_EQ(a.waiting() + b.waiting(), 2U);
    world.pass(1s);
    world.session.opened(world.now);
    (void)world.sent();
    world.answer("5", "a");
    world.answer("6", "b");
    EXPECT_EQ(world.sent(),
              "[\"5\",\"7\",\"a\",\"y\",{}]\n"
              "[\"6\",\"8\",\"b\",\"y\",{}]\n");
}

TEST(DeviceSession, bytes_go_both_ways) {
    World world;
    Channel& room = world.session.channel("room:a", world.noting());
    room.join();
    world.connect();
    (void)world.sent();
    world.answer("1", "room:a");
    EXPECT_EQ(room.push_binary("pic", std::string("\x07\x00\x08", 3), world.note("pic")),
              PushResult::accepted);
    const auto frame = world.session.next_frame(world.now);
    ASSERT_TRUE(frame && frame->kind == FrameKind::binary);
    EXPECT_EQ(frame->data, std::string("\x00\x01\x01\x06\x03"
                                       "12room:apic\x07\x00\x08",
                                       19));
    world.session.received(world.now,
                           std::string("\x01\x01\x01\x06\x02"
                                       "12room:aok\x07",
                                       16),
                           FrameKind::binary);
    world.session.received(world.now, "\x02\x06\x06room:aallbin\x01\x02\x03", FrameKind::binary);
    EXPECT_EQ(world.take_log(), "joined {} 0\npic: 0 ok \x07\nallbin of 3 bytes\n");
}

TEST(DeviceSession, whoever_does_not_speak_the_protocol_is_left) {
    World world;
    world.connect();
    world.receive("hello");
    EXPECT_TRUE(world.session.wants_close());
    EXPECT_FALSE(world.session.open());
    world.session.closed(world.now);
    EXPECT_EQ(world.session.deadline(), world.now + 1s);
}

TEST(DeviceSession, callbacks_may_do_anything) {
    World world;
    Channel* room = nullptr;
    int joins = 0;
    room = &world.session.channel("room:a", {.on_join = [&](std::string_view, Continuation) {
                                      if (++joins == 1) {
                                          room->leave();
                                          room->join();
                                          (void)room->push("again");
                                          world.session.channel("room:b").join();
                                      }
                                  }});
    room->join();
    world.connect();
    (void)world.sent();
    world.answer("1", "room:a");
    EXPECT_EQ(world.sent(),
              "[\"1\",\"2\",\"room:a\",\"phx_leave\",{}]\n"
              "[\"3\",\"3\",\"room:a\",\"phx_join\",{}]\n"
              "[\"4\",\"4\",\"room:b\",\"phx_join\",{}]\n");
    world.answer("3", "room:a");
    EXPECT_EQ(world.sent(), "[\"3\",\"5\",\"room:a\",\"again\",{}]\n");
    EXPECT_EQ(joins, 2);
}

}  // namespace session_tests
}  // namespace bennu::device
