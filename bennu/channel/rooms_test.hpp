// Channels that the tests of sessions and channels share.
#pragma once

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/channel/testing.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu::channel_test {

using namespace std::chrono_literals;

/// What `terminate` said, in order.
inline std::vector<std::string>& ended() {
    static std::vector<std::string> list;
    return list;
}

struct Greeting {
    std::string name;
    int times = 1;
};
BENNU_RECORD(Greeting, name, times)

struct RoomChannel : Channel {
    struct Tick {
        int n;
    };
    Task<Join> join(Topic topic, Json params) override {
        if (topic == "room:closed") co_return Join::refuse(Json::object({{"reason", "closed"}}));
        if (topic == "room:boom") throw std::runtime_error("join fails");
        if (topic == "room:error") co_return Error(ErrorKind::unauthorized, "unauthorized");
        if (topic == "room:slow") co_await sleep(100ms);
        co_return Join::ok(params.size() > 0 ? Payload(params) : Payload());
    }
    Task<> after_join() override {
        if (topic() != "room:people") co_return;
        track(assigns()["name"].as_string());
        push_presence_state();
    }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "echo") co_return Reply::ok(payload);
        if (event == "status") co_return Reply::with_status("maybe");
        if (event == "silent") co_return Reply::none();
        if (event == "crash") throw std::runtime_error("handler fails");
        if (event == "stop") co_return Reply::ok(Json::object({{"bye", true}})).then_stop();
        if (event == "sleep") {
            co_await sleep(300ms);
            co_return Reply::ok();
        }
        if (event == "later") {
            later_ = later(event);
            send_after(ref_as<RoomChannel>(), Tick{7}, 50ms);
            co_return Reply::none();
        }
        if (event == "greet") {
            auto greeting = payload_as<Greeting>(payload);
            if (!greeting) co_return greeting.error();
            co_return Reply::ok(*greeting);
        }
        if (event == "listen") {
            subscribe("news");
            co_return Reply::ok();
        }
        if (event == "shout") {
            broadcast("shout", payload);
        } else if (event == "others") {
            broadcast_from("shout", payload);
        } else if (event == "push") {
            push("pushed", payload);
        } else {
            co_return unknown(event);
        }
        co_return Reply::none();
    }
    Task<Reply> handle_binary(Event event, Bytes data) override {
        if (event == "crashbin") throw std::runtime_error("binary handler fails");
        if (event == "shoutbin") broadcast("allbin", data);
        if (event == "pushbin") push("pushedbin", data);
        co_return Reply::ok(Bytes::copy(std::string(data.view()) + "\xff"));
    }
    Task<> handle_info(Broadcast message) override {
        push("heard",
             Json::object({{"topic", message.topic().view()}, {"event", message.event()}}));
        co_return;
    }
    void handle(Tick tick) { reply(later_, Reply::ok(Json::object({{"n", tick.n}}))); }
    Task<> terminate(ExitReason reason) override {
        ended().push_back(topic().str() + " " + std::string(to_string(reason.kind())));
        co_return;
    }

    ReplyRef later_;
};

struct FilterChannel : Channel {
    static constexpr std::string_view intercepted[] = {"secret", "loud"};
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    std::span<const std::string_view> intercept() const override { return intercepted; }
    Task<> handle_out(Broadcast message) override {
        if (message.event() == "loud") push("quiet", Json::object({{"was", message.payload()}}));
        co_return;
    }
};

inline std::shared_ptr<const SocketOptions> options(SocketLimits limits = {}) {
    return std::make_shared<const SocketOptions>(SocketOptions{
        .channels = {channel<RoomChannel>("room:*"), channel<FilterChannel>("filter")},
        .connect = [](ConnectRequest request) -> Task<Result<Connected>> {
            if (request.params["deny"].is_bool())
                co_return Error(ErrorKind::forbidden, "forbidden");
            std::string name = request.params.get<std::string>("name").value_or("nobody");
            co_return Connected{.assigns = Json::object({{"name", name}}), .id = "users:" + name};
        },
        .limits = limits});
}

/// Runs a test's body with one connected client.
template <typename Body>
void with_client(Body body, SocketLimits limits = {}) {
    LogCapture quiet;
    ended().clear();
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        ChannelTest client = *co_await ChannelTest::connect(options(limits));
        co_await body(client);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

inline std::string raw(const Result<ChannelTest::Frame>& frame) {
    return frame ? frame->text : "nothing came";
}

}  // namespace bennu::channel_test
