// What telemetry hears of sockets and channels.
#include "bennu/base/events.hpp"
#include "bennu/channel/rooms_test.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::channel_test {

namespace {

/// `channel.joined RoomChannel room:a ok`: what a test asks of an event, in this order.
class Heard {
  public:
    explicit Heard(std::vector<std::string_view> keys) : keys_(std::move(keys)) {}
    std::vector<std::string> take() { return std::exchange(events_, {}); }
    std::vector<Duration> durations;

  private:
    std::vector<std::string_view> keys_;
    std::vector<std::string> events_;
    Subscription listening_ = subscribe_events("channel.*", [this](const EventView& event) {
        std::string text(event.name);
        for (std::string_view key : keys_) {
            for (const Attribute& attribute : event.metadata) {
                if (attribute.key == key) text += " " + to_string(attribute.value);
            }
        }
        events_.push_back(std::move(text));
        for (const Attribute& attribute : event.measurements) {
            if (attribute.key == "duration")
                durations.push_back(std::get<Duration>(attribute.value.data()));
        }
    });
};

using Lines = std::vector<std::string>;

}  // namespace

TEST(ChannelEvents, a_join_is_told_with_what_came_of_it) {
    Heard heard({"topic", "outcome"});
    with_client([&](ChannelTest& client) -> Task<> {
        for (auto topic : {"room:a", "room:closed", "room:boom", "room:slow", "nowhere"})
            (void)co_await client.join(topic);
        EXPECT_EQ(heard.take(),
                  (Lines{"channel.joined room:a ok", "channel.joined room:closed error",
                         "channel.joined room:boom ended", "channel.joined room:slow ok"}));
        EXPECT_EQ(heard.durations.front(), 0ms);
        EXPECT_GE(heard.durations.back(), 100ms);
    });
}

TEST(ChannelEvents, an_event_is_told_once_it_is_handled) {
    Heard heard({"event", "outcome", "serializer", "transport"});
    with_client([&](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        (void)heard.take();
        for (auto event : {"echo", "status", "greet", "sleep"})
            (void)co_await client.push("room:a", event, Json::object());
        EXPECT_GE(heard.durations.back(), 300ms);
        client.send_text(R"(["1","20","room:a","silent",{}])");
        client.send_text(R"(["1","21","room:a","crash",{}])");
        EXPECT_EQ((co_await client.next("phx_error"))->event, "phx_error");
        EXPECT_EQ(
            heard.take(),
            (Lines{"channel.handled_in echo ok v2 test", "channel.handled_in status maybe v2 test",
                   "channel.handled_in greet error v2 test", "channel.handled_in sleep ok v2 test",
                   "channel.handled_in silent none v2 test",
                   "channel.handled_in crash ended v2 test"}));
    });
}

TEST(ChannelEvents, they_name_the_class_of_the_channel) {
    Heard heard({"channel"});
    with_client([&](ChannelTest& client) -> Task<> {
        (void)co_await client.join("filter");
        (void)co_await client.push("filter", "whatever", Json::object());
        const Lines lines = heard.take();
        EXPECT_EQ(lines.size(), 2U);
        for (const std::string& line : lines) EXPECT_TRUE(line.ends_with("FilterChannel")) << line;
    });
}

TEST(ChannelEvents, bytes_and_a_client_that_is_gone_are_told_too) {
    Heard heard({"event", "outcome"});
    with_client([&](ChannelTest& client) -> Task<> {
        (void)co_await client.join("room:a");
        (void)heard.take();
        client.send_binary(
            std::string("\0\1\1\6\7"
                        "12room:apushbin\7",
                        20));
        (void)co_await client.next("phx_reply");
        EXPECT_EQ(heard.take(), Lines{"channel.handled_in pushbin ok"});
    });
}

TEST(ChannelEvents, a_connect_is_told_for_each_transport) {
    Heard heard({"path", "transport", "serializer", "outcome"});
    auto router = std::make_shared<Router>();
    mount_socket(*router, {.channels = {channel<RoomChannel>("room:*")},
                           .connect = [](ConnectRequest request) -> Task<Result<Connected>> {
                               if (request.params.contains("deny"))
                                   co_return Error(ErrorKind::forbidden, "forbidden");
                               if (request.params.contains("boom"))
                                   throw std::runtime_error("connect fails");
                               co_return Connected{};
                           }});
    TestClient client(router);
    LogCapture quiet;
    for (auto query : {"?vsn=2.0.0", "", "?vsn=2.0.0&deny=1", "?vsn=2.0.0&boom=1"}) {
        (void)client.send({.target = std::string("/socket/websocket") + query,
                           .headers = {{"host", "app.example"},
                                       {"connection", "Upgrade"},
                                       {"upgrade", "websocket"},
                                       {"sec-websocket-version", "13"},
                                       {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}}});
    }
    EXPECT_EQ(heard.take(),
              (Lines{"channel.socket_connected /socket/websocket websocket v2 ok",
                     "channel.socket_connected /socket/websocket websocket v1 ok",
                     "channel.socket_connected /socket/websocket websocket v2 error",
                     "channel.socket_connected /socket/websocket websocket v2 ended"}));
}

}  // namespace bennu::channel_test
