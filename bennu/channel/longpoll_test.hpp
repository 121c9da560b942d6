// Clients that poll, for the tests of long polling, with virtual time.
#pragma once

#include <gtest/gtest.h>

#include "bennu/channel/rooms_test.hpp"
#include "bennu/web/testing.hpp"

namespace bennu::longpoll_test {

using namespace std::chrono_literals;
using channel_test::RoomChannel;

inline SocketOptions rooms(LongPollOptions longpoll = {}) {
    return {.channels = {channel<RoomChannel>("room:*")},
            .origins = {"https://friend.example"},
            .longpoll = longpoll};
}

inline TestClient serve(SocketOptions options, EndpointOptions endpoint = {}) {
    auto router = std::make_shared<Router>();
    mount_socket(*router, std::move(options));
    return TestClient(std::move(router), std::move(endpoint));
}

/// A client that polls.
struct Poller {
    TestClient client;
    std::string token = {};
    std::string query = "vsn=2.0.0";

    Task<TestResponse> send(TestRequest request) {
        request.target = "/socket/longpoll?" + query + "&token=" + token;
        co_return co_await client.request(std::move(request));
    }
    Task<Json> poll() {
        TestResponse response = co_await send({});
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.header("content-type"), "application/json");
        EXPECT_EQ(response.header("cache-control"), "no-store");
        EXPECT_EQ(response.header("access-control-allow-origin"), "*");
        Json answer = response.json();
        if (answer.contains("token")) token = answer["token"].as_string();
        co_return answer;
    }
    Task<int> open() {
        token.clear();
        co_return static_cast<int>((co_await poll())["status"].as_int());
    }
    Task<int> post(std::string lines, std::string type = "application/x-ndjson") {
        TestResponse response = co_await send({.method = net::Method::post,
                                               .headers = {{"content-type", std::move(type)}},
                                               .body = std::move(lines)});
        EXPECT_EQ(response.status, 200);
        co_return static_cast<int>(response.json()["status"].as_int());
    }
};

inline std::string message(const Json& answer, std::size_t n) {
    const Json& text = answer["messages"][n];
    return text.is_string() ? std::string(text.as_string()) : "none";
}

template <typename Body>
void with_poller(Body body, SocketOptions options = rooms()) {
    LogCapture quiet;
    channel_test::ended().clear();
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        Poller poller{serve(std::move(options))};
        co_await body(poller);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

}  // namespace bennu::longpoll_test
