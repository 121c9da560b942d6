// What `types()` says of a channel, held against what the channel does.
#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/channel/socket.hpp"
#include "bennu/channel/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::contract_test {

namespace {

struct Params {
    std::string name;
    std::optional<int> page;
};
BENNU_RECORD(Params, name, page)

struct Person {
    std::string name;
};
BENNU_RECORD(Person, name)

struct Other {
    std::string nmae;
};
BENNU_RECORD(Other, nmae)

struct HallChannel : Channel {
    static inline int joins = 0;

    static ChannelTypes types() {
        return ChannelTypes("HallChannel")
            .joins<Params, Params>()
            .on<&HallChannel::say>("say")
            .on<&HallChannel::enter>("enter")
            .sends<Json>("said")
            .sends<Json>("quiet")
            .tracks<Person>();
    }
    static constexpr std::string_view intercepted[] = {"loud"};
    std::span<const std::string_view> intercept() const override { return intercepted; }
    Task<Join> join(Topic, Json params) override {
        ++joins;
        co_return Join::ok(*payload_as<Params>(params));
    }
    Task<> handle_out(Broadcast message) override {
        push("quiet", message.payload());
        co_return;
    }
    Result<> say(Json what) {
        const std::string event(what["event"].as_string());
        if (what["to"] == Json("all")) {
            broadcast(event, what);
        } else if (what["to"] == Json("others")) {
            broadcast_from(event, what);
        } else {
            push(event, what);
        }
        return {};
    }
    Result<> enter(Json what) {
        if (what["as"] == Json("person")) track("key", Person{"ada"});
        if (what["as"] == Json("other")) track("key", Other{"ada"});
        if (what["as"] == Json("json")) track("key", Json::object({{"name", 1}}));
        return {};
    }
};

/// Says nothing of what it sends, or of who joins.
struct OpenChannel : Channel {
    static ChannelTypes types() { return ChannelTypes("OpenChannel").on<&OpenChannel::say>("say"); }
    Task<Join> join(Topic, Json params) override { co_return Join::ok(std::move(params)); }
    void say() {
        push("anything");
        track("key", Json::object({{"a", 1}}));
    }
};

template <typename Body>
void with_client(Body body) {
    LogCapture quiet(LogLevel::off);
    HallChannel::joins = 0;
    finishes({}, [&]() -> Task<Result<>> {
        auto options = std::make_shared<const SocketOptions>(SocketOptions{
            .channels = {
                channel<HallChannel>("hall:kept", {.durable = pubsub::DurableOptions{.keep = 10}}),
                channel<HallChannel>("hall:*"), channel<OpenChannel>("open")}});
        ChannelTest client = *co_await ChannelTest::connect(options);
        co_await body(client);
        co_return {};
    });
}

Json saying(std::string_view event, std::string_view to) {
    return Json::object({{"event", event}, {"to", to}});
}
const Json ada = Json::object({{"name", "ada"}});

}  // namespace

TEST(ChannelContract, join_params_that_are_no_such_record_are_answered_and_join_does_not_run) {
    with_client([](ChannelTest& client) -> Task<> {
        auto answer = co_await client.join("hall:1", Json::object({{"page", "two"}, {"x", 1}}));
        EXPECT_EQ(answer.status, "error");
        EXPECT_EQ(answer.response["errors"].size(), 3U);
        EXPECT_EQ((co_await client.join("hall:1", Json::array())).status, "error");
        EXPECT_EQ(HallChannel::joins, 0);
        // The client may try again with better ones.
        answer = co_await client.join("hall:1", ada);
        EXPECT_EQ(answer.status, "ok");
        EXPECT_EQ(answer.response["name"], Json("ada"));
        EXPECT_EQ(HallChannel::joins, 1);
        // Where nothing is said, anything goes.
        EXPECT_EQ((co_await client.join("open", Json::array({1}))).response, Json::array({1}));
    });
}

TEST(ChannelContract, a_position_to_resume_from_is_not_among_the_params) {
    with_client([](ChannelTest& client) -> Task<> {
        Json params = ada;
        params.set("resume", Json::object({{"position", nullptr}}));
        const auto answer = co_await client.join("hall:kept", params);
        EXPECT_EQ(answer.status, "ok");
        EXPECT_EQ(answer.response["resume"]["status"], Json("resync"));
    });
}

TEST(ChannelContract, an_event_that_it_does_not_send_is_a_fault_of_the_channel) {
    with_client([](ChannelTest& client) -> Task<> {
        for (const std::string to : {"me", "all", "others"}) {
            (void)co_await client.join("hall:" + to, ada);
            EXPECT_EQ((co_await client.push("hall:" + to, "say", saying("said", to))).status, "ok");
            EXPECT_EQ((co_await client.push("hall:" + to, "say", saying("sad", to))).status,
                      "timeout");
            EXPECT_TRUE(co_await client.next("phx_error", "hall:" + to));
        }
        // What it intercepts itself does not reach clients under that name.
        (void)co_await client.join("hall:out", ada);
        auto loud = co_await client.push("hall:out", "say", saying("loud", "all"));
        EXPECT_EQ(loud.status, "ok");
        EXPECT_TRUE(co_await client.next("quiet"));
        (void)co_await client.join("open");
        (void)co_await client.push("open", "say");
        EXPECT_TRUE(co_await client.next("anything"));
    });
}

TEST(ChannelContract, a_meta_that_it_does_not_track_is_a_fault_of_the_channel) {
    with_client([](ChannelTest& client) -> Task<> {
        for (const std::string as : {"person", "other", "json"}) {
            (void)co_await client.join("hall:" + as, ada);
            const auto answer =
                co_await client.push("hall:" + as, "enter", Json::object({{"as", as}}));
            EXPECT_EQ(answer.status, as == "person" ? "ok" : "timeout");
            EXPECT_EQ((co_await presence::count("hall:" + as)), as == "person" ? 1U : 0U);
        }
    });
}

}  // namespace bennu::contract_test
