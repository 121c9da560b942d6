// What an endpoint that stops owes to those who poll, over a simulated network.
#include <gtest/gtest.h>

#include "bennu/channel/rooms_test.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu::longpoll_drain_test {

using namespace std::chrono_literals;
using channel_test::RoomChannel;
using net::RawClient;

namespace {

const SocketAddress address{"127.0.0.1", 4000};

/// What the clients heard: statuses that end a session (0: nobody listens any more), and messages.
struct Heard {
    std::vector<int> ends;
    int messages = 0;
};

std::string request(std::string_view method, std::string_view token, std::string_view body) {
    return std::string(method) + " /socket/longpoll?vsn=2.0.0&token=" + std::string(token) +
           " HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: "
           "application/x-ndjson\r\ncontent-length: " +
           std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// What came after the head of the answer; status 0 without one.
Json body_of(const std::string& heard) {
    const std::size_t end = heard.find("\r\n\r\n");
    if (end == std::string::npos) return Json::object({{"status", 0}, {"messages", Json::array()}});
    return *parse_json(heard.substr(end + 4));
}

/// One request on a connection of its own.
Task<Json> ask(std::string bytes) {
    auto client = co_await start<RawClient>({}, address);
    if (!client) co_return body_of("");
    cast(*client, RawClient::Send{std::move(bytes)});
    std::string heard = co_await call(*client, RawClient::ReadAll{}, {.timeout = 60s});
    co_return body_of(heard);
}

/// Polls as npm `phoenix` does, until its session is gone.
Task<> poll(std::shared_ptr<Heard> heard) {
    Json opened = co_await ask(request("GET", "", ""));
    const std::string token(opened["token"].as_string());
    (void)co_await ask(request("POST", token, R"(["1","1","room:a","phx_join",{}])"));
    for (;;) {
        const Json answer = co_await ask(request("GET", token, ""));
        const auto status = static_cast<int>(answer["status"].as_int());
        for (const Json& message : answer["messages"].as_array())
            heard->messages += message.as_string().contains("news") ? 1 : 0;
        if (status == 200 || status == 204) continue;
        heard->ends.push_back(status);
        co_return;
    }
}

/// An endpoint with six clients that stops; `meanwhile` runs 100 ms later.
void while_six_are_drained(Function<void()> meanwhile, std::shared_ptr<Heard> heard) {
    LogCapture quiet(LogLevel::off);
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        auto router = std::make_shared<Router>();
        mount_socket(*router, {.channels = {channel<RoomChannel>("room:*")}});
        std::vector<ChildSpec> children;
        children.push_back(child_endpoint({.drain_batch = 2, .drain_pause = 1s}, router));
        const Pid tree = (co_await supervise({}, std::move(children))).value().pid();
        for (int i = 0; i < 6; ++i) {
            spawn_task([heard] [[clang::coro_wrapper]] () -> Task<> { return poll(heard); });
        }
        co_await sleep(2s);
        EXPECT_TRUE(heard->ends.empty());
        stop(tree);
        co_await sleep(100ms);
        meanwhile();
        co_await sleep(300ms);
        EXPECT_EQ(heard->ends.size(), 2U);
        co_await sleep(700ms);  // a pause is half a second to a second
        EXPECT_GE(heard->ends.size(), 4U);
        co_await sleep(1s);
        EXPECT_EQ(heard->ends.size(), 6U);
        co_return {};
    });
}

}  // namespace

TEST(LongPollDrain, sessions_end_in_the_batches_of_the_endpoints_options) {
    auto heard = std::make_shared<Heard>();
    while_six_are_drained([] {}, heard);
    // The client connects, and joins, anew.
    EXPECT_EQ(heard->ends, std::vector<int>(6, 410));
}

// It would be answered at once, and its client find nobody who listens to the next poll.
TEST(LongPollDrain, a_message_in_the_meantime_takes_no_session_out_of_its_batch) {
    auto heard = std::make_shared<Heard>();
    while_six_are_drained([] { pubsub::broadcast("room:a", "news"); }, heard);
    EXPECT_EQ(heard->messages, 4);  // the first two were gone
    EXPECT_EQ(heard->ends, (std::vector<int>{410, 410, 0, 0, 0, 0}));
}

}  // namespace bennu::longpoll_drain_test
