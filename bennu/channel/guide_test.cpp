#include <gtest/gtest.h>

#include "bennu/channel/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace room_test {

using namespace bennu;

struct RoomChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }

    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "echo") co_return Reply::ok(std::move(payload));
        if (event != "shout") co_return unknown(event);
        broadcast("shout", std::move(payload));
        co_return Reply::none();
    }
};

TEST(RoomChannel, echoes_to_one_and_shouts_to_all) {
    // A world of its own, with virtual time; `finishes` expects that it ends, and without an error.
    finishes({}, []() -> Task<Result<>> {
        // What mount_socket would get; clients share it.
        const auto options = std::make_shared<const SocketOptions>(
            SocketOptions{.path = "/socket", .channels = {channel<RoomChannel>("room:*")}});
        ChannelTest ada = co_await require(ChannelTest::connect(options));
        ChannelTest bob = co_await require(ChannelTest::connect(options));
        EXPECT_EQ((co_await ada.join("room:lobby")).status, "ok");
        EXPECT_EQ((co_await bob.join("room:lobby")).status, "ok");

        const Json one = Json::object({{"n", 1}});
        const ChannelTest::Answer echo = co_await ada.push("room:lobby", "echo", one);
        EXPECT_EQ(echo.status, "ok");
        EXPECT_EQ(echo.response, one);

        // A push that is not answered is waited for a second, of virtual time.
        EXPECT_EQ((co_await ada.push("room:lobby", "shout", one)).status, "timeout");
        const ChannelTest::Frame heard = co_await require(bob.next("shout"));
        EXPECT_EQ(heard.payload, one);
        co_return {};
    });
}

}  // namespace room_test
