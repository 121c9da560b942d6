#include "clients/device/session_test.hpp"

namespace bennu::device {
namespace session_tests {

TEST(DeviceSession, a_durable_topic_goes_on_where_it_was) {
    World world;
    Channel& room = world.session.channel(
        "room:a", world.noting({.params = [] { return R"( {"name":"x"})"; }, .resume = true}));
    room.join();
    world.connect();
    EXPECT_EQ(world.sent(), R"(["1","1","room:a","phx_join", {"name":"x"}])"
                            "\n");
    world.answer("1", "room:a", R"({"resume":{"status":"new","position":{"e1":7}}})");
    world.receive(R"([null,null,"room:a","said",{"n":1,"_at":["e1",8]}])");
    world.receive(R"([null,null,"room:a","said",{"n":1,"_at":["e1",8]}])");
    world.receive(R"([null,null,"room:a","said",{"n":2,"_at":["e2",1]}])");
    world.take_log();
    EXPECT_EQ(room.position(), (Position{{"e1", 8}, {"e2", 1}}));

    world.session.closed(world.now);
    world.pass(1s);
    world.session.opened(world.now);
    EXPECT_EQ(world.sent(),
              R"(["2","2","room:a","phx_join", {"resume":{"position":{"e1":8,"e2":1}},"name":"x"}])"
              "\n");
    world.answer("2", "room:a", R"({"resume":{"status":"resumed","position":{"e1":8}}})");
    world.receive(R"(["2",null,"room:a","said",{"n":3,"_at":["e1",9]}])");
    EXPECT_EQ(room.position(), (Position{{"e1", 9}}));
    world.receive(R"(["2",null,"room:a","resync",{"position":{"e1":12}}])");
    EXPECT_EQ(room.position(), (Position{{"e1", 12}}));

    world.session.closed(world.now);
    world.pass(1s);
    world.session.opened(world.now);
    (void)world.sent();
    world.answer("3", "room:a", R"({"resume":{"status":"resync","position":{"e3":5}}})");
    EXPECT_EQ(room.position(), (Position{{"e3", 5}}));
    EXPECT_EQ(world.take_log(),
              "lost\n"
              "joined {\"resume\":{\"status\":\"resumed\",\"position\":{\"e1\":8}}} 1\n"
              "said {\"n\":3,\"_at\":[\"e1\",9]}\n"
              "resync\n"
              "lost\n"
              "joined {\"resume\":{\"status\":\"resync\",\"position\":{\"e3\":5}}} 2\n"
              "resync\n");
}

TEST(DeviceSession, what_the_server_dropped_is_told_without_resume_too) {
    World world;
    world.session.channel("room:a", world.noting()).join();
    world.connect();
    (void)world.sent();
    world.answer("1", "room:a");
    world.take_log();
    world.receive(R"([null,null,"room:a","resync",{"position":{}}])");
    world.receive(R"([null,null,"room:a","resync",{"of":"the app"}])");
    EXPECT_EQ(world.take_log(),
              "resync\n"
              "resync {\"of\":\"the app\"}\n");
}

TEST(DeviceSession, a_durable_topic_of_which_nothing_was_seen_yet_is_resumed_too) {
    World world;
    Channel& room = world.session.channel("room:a", {.resume = true});
    room.join();
    world.connect();
    (void)world.sent();
    world.answer("1", "room:a", R"({"resume":{"status":"new","position":{}}})");
    world.session.closed(world.now);
    world.pass(1s);
    world.session.opened(world.now);
    EXPECT_EQ(world.sent(), R"(["2","2","room:a","phx_join",{"resume":{"position":{}}}])"
                            "\n");
    // The server lost its durable topics meanwhile.
    world.answer("2", "room:a", "{}");
    world.session.closed(world.now);
    world.pass(1s);
    world.session.opened(world.now);
    EXPECT_EQ(world.sent(), R"(["3","3","room:a","phx_join",{}])"
                            "\n");
}

}  // namespace session_tests
}  // namespace bennu::device
