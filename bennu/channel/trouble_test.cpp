// What the log says to a developer whose client gets nowhere.
#include "bennu/channel/trouble.hpp"

#include "bennu/channel/rooms_test.hpp"

namespace bennu::channel_test {

namespace {

int lines_with(const LogCapture& log, std::string_view text) {
    return static_cast<int>(std::ranges::count_if(
        log.lines(), [&](const std::string& line) { return line.contains(text); }));
}

}  // namespace

TEST(SocketTrouble, each_refusal_has_a_line_that_names_what_came) {
    with_client(
        [](ChannelTest& client) -> Task<> {
            LogCapture log;
            (void)co_await client.join("nowhere");
            EXPECT_TRUE(log.contains("warning no channel of the socket takes this topic"));
            EXPECT_TRUE(log.contains("topic=nowhere"));
            (void)co_await client.push("room:9", "echo", Json::object());
            EXPECT_TRUE(log.contains("debug an event on a topic that the socket has not joined"));
            (void)co_await client.join("room:a");
            (void)co_await client.push("room:a", "nonsense", Json::object());
            EXPECT_TRUE(log.contains("warning a channel does not know this event"));
            EXPECT_TRUE(log.contains("event=nonsense"));
            (void)co_await client.join("room:b");
            (void)co_await client.join("room:c");
            EXPECT_TRUE(log.contains("SocketLimits::max_channels"));
            for (int i = 0; i < 3; ++i) (void)co_await client.join("room:a");
            EXPECT_TRUE(log.contains("SocketLimits::joins_per_second"));
            client.send_text(R"([null,"30","room:b","sleep",{}])");
            for (int i = 0; i < 4; ++i) client.send_text(R"([null,"31","room:b","echo",{}])");
            co_await sleep(1s);
            EXPECT_TRUE(log.contains("SocketLimits::max_waiting"));
        },
        {.max_channels = 2, .max_waiting = 2, .joins_per_second = 1, .join_burst = 3});
}

TEST(SocketTrouble, a_client_that_repeats_itself_does_not_fill_the_log) {
    with_client([](ChannelTest& client) -> Task<> {
        LogCapture log;
        for (int i = 0; i < 50; ++i) (void)co_await client.join("nowhere");
        EXPECT_EQ(lines_with(log, "takes this topic"), 1);
        co_await sleep(1s);
        (void)co_await client.join("nowhere");
        EXPECT_EQ(lines_with(log, "takes this topic"), 2);
        EXPECT_TRUE(log.contains("others=49"));
    });
}

TEST(SocketTrouble, an_unreadable_frame_is_named_without_its_payload) {
    const std::pair<std::string, std::string> rows[] = {
        {R"(["1","1","room:a","say",{"pin":4321 4321}])", "malformed"},
        {R"([1,2,"room:a","say",{}])", "join_ref"},
        {"no json", "not an array"},
    };
    for (const auto& [frame, why] : rows) {
        with_client([&](ChannelTest& client) -> Task<> {
            LogCapture log;
            client.send_text(frame);
            EXPECT_EQ(co_await client.closed(), 1011);
            EXPECT_TRUE(log.contains("warning a frame cannot be read")) << frame;
            EXPECT_TRUE(log.contains(why)) << why;
            EXPECT_FALSE(log.contains("4321"));
        });
    }
}

TEST(SocketTrouble, an_unreadable_payload_is_named_without_what_it_holds) {
    with_client([](ChannelTest& client) -> Task<> {
        LogCapture log;
        for (int i = 0; i < 3; ++i) {
            client.send_text(R"(["1","2","room:a","say",{"pin":1234,"pin":4321}])");
            (void)co_await client.next();
        }
        EXPECT_EQ(lines_with(log, "warning a message's payload cannot be read"), 1);
        EXPECT_TRUE(log.contains("occurs twice"));
        EXPECT_TRUE(log.contains("event=say"));
        EXPECT_FALSE(log.contains("4321"));
    });
}

}  // namespace bennu::channel_test
