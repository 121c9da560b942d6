#include "bennu/channel/channel_types.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/channel/socket.hpp"
#include "bennu/channel/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::channel_types_test {

using namespace std::chrono_literals;

namespace {

struct Say {
    std::string text;
};
BENNU_RECORD(Say, text)

struct Said {
    std::string text;
    int times = 1;
};
BENNU_RECORD(Said, text, times)

class RoomChannel : public Channel {
  public:
    static ChannelTypes types() {
        return ChannelTypes("RoomChannel")
            .on<&RoomChannel::say>("say")
            .on<&RoomChannel::plain>("plain")
            .on<&RoomChannel::slow>("slow")
            .on<&RoomChannel::refuse>("refuse")
            .on<&RoomChannel::done>("done")
            .on<&RoomChannel::hear>("hear")
            .on<&RoomChannel::ask, Said>("ask")
            .on<&RoomChannel::crash>("crash")
            .on<&RoomChannel::any>("any")
            .on<&RoomChannel::all>("all")
            .on<&RoomChannel::bytes>("bytes");
    }
    struct Tick {};
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    void handle(Tick) { reply(later_, Reply::ok(Said{"late", heard_})); }

  private:
    Result<Said> say(Say say) { return Said{say.text, ++heard_}; }
    Said plain(const Say& say) { return {say.text, 0}; }
    Task<Result<Said>> slow(const Say& say) {
        co_await bennu::sleep(50ms);
        co_return Said{say.text, ++heard_};
    }
    Task<Result<Said>> refuse() { co_return Error(ErrorKind::forbidden, "not_you"); }
    Result<> done() { return {}; }
    void hear(Say) { ++heard_; }
    Task<Reply> ask(NoPayload, Event event) {
        later_ = later(event);
        send_after(ref_as<RoomChannel>(), Tick{}, 20ms);
        co_return Reply::none();
    }
    Task<> crash() {
        throw std::runtime_error("handler fails");
        co_return;
    }
    Json any(Json payload) { return payload; }
    Result<std::vector<Said>> all() { return std::vector<Said>{{"a", 1}, {"b", 2}}; }
    Bytes bytes(const Bytes& data) { return Bytes::copy(std::string(data.view()) + "!"); }

    int heard_ = 0;
    ReplyRef later_;
};

template <typename Body>
void with_client(Body body) {
    LogCapture quiet;
    finishes({}, [&]() -> Task<Result<>> {
        auto options = std::make_shared<const SocketOptions>(
            SocketOptions{.channels = {channel<RoomChannel>("room")}});
        ChannelTest client = *co_await ChannelTest::connect(options);
        (void)co_await client.join("room");
        co_await body(client);
        co_return {};
    });
}

Json said(std::string_view text, int times) {
    return Json::object({{"text", text}, {"times", times}});
}

/// Beside `types()`, what this takes would be in no client's types: `channel` refuses it.
struct ByHand : RoomChannel {
    Task<Reply> handle_in(Event event, Json) override { co_return unknown(event); }
};
static_assert(detail::TakesEventsByHand<ByHand>);
static_assert(!detail::TakesEventsByHand<RoomChannel>);

}  // namespace

TEST(ChannelTypes, events_go_to_the_handlers_that_it_names) {
    with_client([](ChannelTest& client) -> Task<> {
        const Json hello = Json::object({{"text", "hello"}});
        auto answer = co_await client.push("room", "say", hello);
        EXPECT_EQ(answer.status, "ok");
        EXPECT_EQ(answer.response, said("hello", 1));
        EXPECT_EQ((co_await client.push("room", "plain", hello)).response, said("hello", 0));
        EXPECT_EQ((co_await client.push("room", "slow", hello)).response, said("hello", 2));
        EXPECT_EQ((co_await client.push("room", "done")).status, "ok");
        answer = co_await client.push("room", "refuse");
        EXPECT_EQ(answer.status, "error");
        EXPECT_EQ(answer.response["reason"], Json("not_you"));
        EXPECT_EQ((co_await client.push("room", "ask")).response, said("late", 2));
        EXPECT_EQ((co_await client.push("room", "any", Json::object({{"a", 1}}))).response["a"],
                  Json(1));
        EXPECT_EQ((co_await client.push("room", "all")).response[1], said("b", 2));
    });
}

TEST(ChannelTypes, what_no_handler_takes_is_an_error_and_a_wrong_payload_names_its_fields) {
    with_client([](ChannelTest& client) -> Task<> {
        auto answer = co_await client.push("room", "shout");
        EXPECT_EQ(answer.status, "error");
        EXPECT_EQ(answer.response["reason"], Json("unknown event shout"));
        answer = co_await client.push("room", "say", Json::object({{"txt", 1}}));
        EXPECT_EQ(answer.status, "error");
        EXPECT_EQ(answer.response["errors"].size(), 2U);
        // Bytes are no record.
        answer = co_await client.push("room", "bytes");
        EXPECT_EQ(answer.response["reason"], Json("unknown event bytes"));
    });
}

TEST(ChannelTypes, bytes_go_to_handlers_that_take_bytes) {
    with_client([](ChannelTest& client) -> Task<> {
        EXPECT_EQ((co_await client.push_binary("room", "bytes", "abc")).data, "abc!");
        auto answer = co_await client.push_binary("room", "say", "abc");
        EXPECT_EQ(answer.response["reason"], Json("unknown event say"));
    });
}

TEST(ChannelTypes, a_fault_in_a_handler_is_the_channels_own) {
    with_client([](ChannelTest& client) -> Task<> {
        EXPECT_EQ((co_await client.push("room", "crash")).status, "timeout");
        EXPECT_TRUE(static_cast<bool>(co_await client.next("phx_error")));
    });
}

TEST(ChannelTypes, an_event_has_one_handler_and_is_not_the_protocols) {
    try {
        ChannelTypes("RoomChannel").sends<Said>("x").sends<Said>("y").sends<Say>("x");
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(),
                     "RoomChannel sends the event x as two things: take one of them out of its "
                     "types()");
    }
    struct Twice : Channel {
        static ChannelTypes types() {
            return ChannelTypes("Twice").on<&Twice::a>("say").on<&Twice::b>("say");
        }
        Task<Join> join(Topic, Json) override { co_return Join::ok(); }
        void a() {}
        void b() {}
    };
    try {
        (void)channel<Twice>("room:*");
        ADD_FAILURE() << "nothing was thrown";
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(),
                     "Twice has two handlers for the event say: take one of them out of its "
                     "types()");
    }
    EXPECT_THROW((void)ChannelTypes("Twice").on<&Twice::a>("phx_leave"), std::invalid_argument);
}

}  // namespace bennu::channel_types_test
