// Clients with the official client's state machine and timetables, and the channel they join.
#pragma once

#include <gtest/gtest.h>

#include "bennu/channel/test_socket.hpp"
#include "bennu/net/websocket.hpp"

namespace bennu::reconnect_storm_test {

using namespace std::chrono_literals;
using net::WebSocketConnection;

inline constexpr std::uint16_t port = 4000;
inline constexpr std::array<std::string_view, 4> topics{"people", "room:1", "room:2", "room:3"};

// npm `phoenix`: the nth wait, and every one after the last.
inline constexpr std::array<Duration, 10> reconnect_waits{10ms,  50ms,  100ms,  150ms,  200ms,
                                                          250ms, 500ms, 1000ms, 2000ms, 5000ms};
inline constexpr std::array<Duration, 4> rejoin_waits{1000ms, 2000ms, 5000ms, 10'000ms};
inline constexpr Duration heartbeat_interval = 30s, push_timeout = 10s;
/// A browser's, for a WebSocket that is not established.
inline constexpr Duration connect_timeout = 10s;

inline constexpr SocketLimits limits{.joins_per_second = 2, .join_burst = 2};
/// The limits let three of the four topics be joined at once; the fourth comes with the first wait.
inline constexpr Duration until_joined = rejoin_waits[0];
/// Handshakes and frames of everybody on the simulated network.
inline constexpr Duration on_the_way = 100ms;

template <std::size_t N>
Duration wait_of(const std::array<Duration, N>& waits, std::size_t attempt) {
    return waits[std::min(attempt, N - 1)];
}

/// How long a client that has been without a connection for so long may be waiting when the server
/// is there again.
inline Duration wait_after(Duration away) {
    Duration slept{};
    for (std::size_t attempt = 0;; ++attempt) {
        const Duration wait = wait_of(reconnect_waits, attempt);
        slept += wait;
        if (slept >= away || wait == reconnect_waits.back()) return wait;
    }
}

/// What is seen of one client.
struct Seen {
    bool open = false;
    std::set<std::string> joined;
    Instant lost;  ///< when its last connection that was open ended
    Instant back;  ///< when it had joined everything
    int shouts = 0;
    bool whole() const { return open && joined.size() == topics.size(); }
};

/// What all sides write into, in this one thread.
struct Storm {
    explicit Storm(std::size_t clients) : seen(clients) {}
    std::vector<Seen> seen;
    /// When each connection of a client joined anything, as the server saw it.
    std::map<std::string, std::vector<Instant>> joins;
};

struct PeopleChannel : Channel {
    explicit PeopleChannel(Storm* s) : storm(s) {}
    Task<Join> join(Topic, Json params) override {
        name = params["name"].as_string();
        storm->joins[name + " " + std::string(params["life"].as_string())].push_back(now());
        co_return Join::ok();
    }
    Task<> after_join() override {
        // Where nobody is told of it: a diff to each for each would be most of what is simulated.
        if (topic() == topics[0]) present = presence::track("hall", name);
        co_return;
    }
    Task<Reply> handle_in(Event event, Json) override {
        if (event == "shout") broadcast("shout");
        co_return Reply::ok();
    }
    Storm* storm;
    std::string name;
    presence::Tracked present;
};

}  // namespace bennu::reconnect_storm_test
