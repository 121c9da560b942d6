// The whole way, in the simulator: WebSocket clients on a simulated network, HTTP server, router,
// sessions, channels.
#include "bennu/channel/websocket_transport.hpp"

#include <gtest/gtest.h>

#include "bennu/base/events.hpp"
#include "bennu/channel/test_socket.hpp"
#include "bennu/runtime/simulation_testing.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu::websocket_transport_test {

using namespace std::chrono_literals;
using phoenix::read_server_text;

struct PeopleChannel : Channel {
    Task<Join> join(Topic, Json params) override {
        name = params["name"].as_string();
        co_return Join::ok();
    }
    Task<> after_join() override {
        track(name);
        push_presence_state();
        co_return;
    }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "crash") throw std::runtime_error("on purpose");
        if (event == "shout") broadcast("shout", payload);
        co_return Reply::ok(payload);
    }
    std::string name;
};

struct Log {
    std::vector<ChannelTest::Frame> frames;
    std::uint16_t closed = 0;

    int count(std::string_view event) const {
        return static_cast<int>(std::ranges::count(frames, event, &ChannelTest::Frame::event));
    }
};

/// Joins as soon as it is connected, and remembers what comes.
struct Client : net::WebSocketHandler {
    Client(std::shared_ptr<Log> l, std::string n) : log(std::move(l)), name(std::move(n)) {}
    void on_open(net::WebSocketConnection& socket) override {
        socket.send_text(R"(["1","1","people","phx_join",{"name":")" + name + "\"}]");
    }
    void on_text(net::WebSocketConnection&, std::string_view text) override {
        log->frames.push_back(read_server_text(text));
    }
    void on_binary(net::WebSocketConnection&, std::string_view) override {}
    void on_close(net::WebSocketConnection&, std::uint16_t code, std::string_view) override {
        log->closed = code;
    }

    std::shared_ptr<Log> log;
    std::string name;
};

/// An endpoint, as a tree that may be stopped.
Task<Pid> serve(EndpointOptions options = {}) {
    auto router = std::make_shared<Router>();
    mount_socket(*router, {.channels = {channel<PeopleChannel>("people")}});
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint(std::move(options), router));
    auto tree = co_await supervise({}, std::move(children));
    co_return tree.value().pid();
}
const SocketAddress address{"127.0.0.1", 4000};

Ref<net::WebSocketConnection> open(std::shared_ptr<Log> log, std::string name) {
    return net::connect_websocket({.address = address, .path = "/socket/websocket?vsn=2.0.0"},
                                  std::make_unique<Client>(std::move(log), std::move(name)));
}

void send(Ref<net::WebSocketConnection> to, std::string text) {
    cast(to, net::WebSocketConnection::SendText{std::move(text)});
}

BENNU_SIM_TEST(WebSocketTransport, many_clients_on_several_shards, sim) {
    LogCapture quiet;
    sim.shards = 3;
    auto outcome = simulate(sim, [&]() -> Task<Result<>> {
        co_await serve();
        constexpr int count = 12;
        std::vector<std::shared_ptr<Log>> logs;
        std::vector<Ref<net::WebSocketConnection>> clients;
        for (int i = 0; i < count; ++i) {
            logs.push_back(std::make_shared<Log>());
            clients.push_back(open(logs[i], "c" + std::to_string(i)));
        }
        co_await sleep(2s);
        for (auto& log : logs) {
            EXPECT_EQ(log->count("phx_reply"), 1);
            EXPECT_EQ(log->count("presence_state"), 1);
        }
        EXPECT_EQ((co_await presence::list("people")).size(), 12u);

        // One publisher's messages arrive in its order, everywhere, once.
        for (int n = 0; n < 5; ++n)
            send(clients[3], R"(["1","9","people","shout",{"n":)" + std::to_string(n) + "}]");
        co_await sleep(1s);
        for (auto& log : logs) {
            int expected = 0;
            for (auto& frame : log->frames) {
                if (frame.event == "shout") EXPECT_EQ(frame.payload["n"], Json(expected++));
            }
            EXPECT_EQ(expected, 5);
        }

        // A crash, a polite close, a lost process: each takes one entry away and disturbs nobody
        // else.
        send(clients[0], R"(["1","10","people","crash",{}])");
        cast(clients[1], net::WebSocketConnection::CloseWith{});
        kill(clients[2].pid());
        co_await sleep(1s);
        EXPECT_EQ(logs[0]->count("phx_error"), 1);
        EXPECT_EQ(logs[0]->closed, 0);
        Json left = co_await presence::list("people");
        EXPECT_EQ(left.size(), 9u);
        for (auto gone : {"c0", "c1", "c2"}) EXPECT_FALSE(left.contains(gone)) << gone;
        send(clients[4], "no json");
        co_await sleep(1s);
        EXPECT_EQ(logs[4]->closed, 1011);
        EXPECT_EQ(logs[5]->closed, 0);
        EXPECT_EQ((co_await presence::count("people")), 8u);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
}

TEST(WebSocketTransport, a_silent_client_is_closed) {
    LogCapture quiet;
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        co_await serve();
        auto log = std::make_shared<Log>();
        auto client = open(log, "silent");
        co_await sleep(50s);
        send(client, R"([null,"2","phoenix","heartbeat",{}])");
        co_await sleep(50s);
        EXPECT_EQ(log->closed, 0);
        co_await sleep(30s);
        EXPECT_EQ(log->closed, 1001);
        EXPECT_EQ(co_await presence::count("people"), 0u);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(WebSocketTransport, a_message_over_the_limit_ends_the_socket_and_the_log_names_the_limit) {
    LogCapture log;
    auto outcome = simulate({}, [&]() -> Task<Result<>> {
        co_await serve();
        auto seen = std::make_shared<Log>();
        auto client = open(seen, "long");
        co_await sleep(1s);
        send(client, R"(["1","2","people","shout",{"x":")" + std::string(100'000, 'x') + "\"}]");
        co_await sleep(1s);
        EXPECT_NE(seen->closed, 0);  // it was still sending, and may not get to read the 1009
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_TRUE(log.contains("warning a message is longer than the socket takes"));
    EXPECT_TRUE(log.contains("limit=65536"));
    EXPECT_TRUE(log.contains("SocketLimits::max_message"));
}

TEST(WebSocketTransport, an_endpoint_that_stops_closes_its_sockets_in_the_batches_of_its_options) {
    LogCapture quiet;
    std::vector<std::string> batches;
    auto listening = subscribe_events("net.socket_drain", [&](const EventView& event) {
        std::string text;
        for (const Attribute& number : event.measurements) {
            if (!text.empty()) text += ' ';
            text.append(number.key).append("=").append(to_string(number.value));
        }
        batches.push_back(std::move(text));
    });
    finishes({.shards = 1}, [&]() -> Task<Result<>> {
        const Pid tree = co_await serve({.drain_batch = 2, .drain_pause = 1s});
        std::vector<std::shared_ptr<Log>> logs;
        for (int i = 0; i < 6; ++i) {
            logs.push_back(std::make_shared<Log>());
            open(logs.back(), "c" + std::to_string(i));
        }
        co_await sleep(2s);
        auto closed = [&] { return std::ranges::count(logs, 1012, &Log::closed); };
        EXPECT_EQ(closed(), 0);
        stop(tree);
        co_await sleep(400ms);
        EXPECT_EQ(closed(), 2);
        co_await sleep(700ms);  // a pause is half a second to a second
        EXPECT_GE(closed(), 4);
        co_await sleep(1s);
        EXPECT_EQ(closed(), 6);
        EXPECT_EQ(batches,
                  (std::vector<std::string>{"count=2 left=4", "count=2 left=2", "count=2 left=0"}));
        co_return {};
    });
}

}  // namespace bennu::websocket_transport_test
