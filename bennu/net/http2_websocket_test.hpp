#pragma once

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http2_testing.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/net/websocket_testing.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::http2_websocket_test {

using namespace std::chrono_literals;
using namespace ws;
using Fields = Http2Client::Fields;

inline constexpr CallOptions patient{.timeout = 200s};

/// What the sockets of a server saw.
struct Seen {
    std::vector<std::string> closed;
    std::vector<Pid> sockets;
    int drained = 0;
};

struct Socket : WebSocketHandler {
    explicit Socket(std::shared_ptr<Seen> all) : seen(std::move(all)) {}

    void on_open(WebSocketConnection& socket) override {
        seen->sockets.push_back(self());
        socket.send_text("hello");
    }
    void on_text(WebSocketConnection& socket, std::string_view text) override {
        if (text == "crash") throw std::runtime_error("told to");
        if (text == "leave") {
            socket.close(4000, "bye");
        } else if (text == "flood") {
            for (int i = 0; i < 10; ++i) socket.send_text(std::string(10'000, 'f'));
        } else {
            socket.send_text(text);
        }
    }
    void on_binary(WebSocketConnection& socket, std::string_view data) override {
        socket.send_binary(data);
    }
    void on_drained(WebSocketConnection& socket) override {
        EXPECT_TRUE(socket.slow());
        EXPECT_EQ(socket.outbox_bytes(), 0U);
        socket.caught_up();
        socket.send_text("caught up " + std::to_string(++seen->drained));
    }
    void on_close(WebSocketConnection&, std::uint16_t code, std::string_view) override {
        seen->closed.push_back(std::to_string(code));
    }

    std::shared_ptr<Seen> seen;
};

/// Sockets at `/ws`, and at `/late` after two seconds; anything else is answered with its target.
struct Handler : TestHandler {
    WebSocketOptions options = {};
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();

    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (request.head.path() == "/late") co_await sleep(2s);
        if (request.head.path() == "/lines") {
            response.body = produce::lines();
            co_return response;
        }
        if (request.head.path() != "/ws" && request.head.path() != "/late") {
            response.body = std::string(request.head.method_text()) + " " +
                            std::string(request.head.target()) + " " + request.body;
            co_return response;
        }
        auto check = check_websocket_request(request.head);
        if (!check.ok) {
            HttpResponse refused = failure(check.refusal.status, check.refusal.code, {});
            refused.headers = refusal_headers(check.refusal);
            co_return refused;
        }
        const std::string_view spoken[] = {"chat"};
        response.status = 101;
        response.websocket =
            std::make_unique<WebSocketUpgrade>(std::make_unique<Socket>(seen), options);
        response.headers = accept_websocket(check.request, select_protocol(check.request, spoken),
                                            response.websocket->options);
        response.headers.add("x-request-id", "7");
        co_return response;
    }
};

struct Run {
    WebSocketOptions socket = {};
    HttpServerOptions server = {};
    SimOptions sim = {};
};

/// Runs a client against a server, and yields what its sockets saw.
inline std::shared_ptr<Seen> serve(Run run, Function<Task<>(SocketAddress)> client) {
    auto handler = std::make_shared<Handler>();
    handler->options = run.socket;
    SimOutcome outcome = net::serve(run.sim, run.server, handler, std::move(client));
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.hung);
    return handler->seen;
}

inline Http2Client::Begin open(Fields more = {}, std::string path = "/ws") {
    Fields fields = {{":method", "CONNECT"},
                     {":path", std::move(path)},
                     {":protocol", "websocket"},
                     {"sec-websocket-version", "13"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return {std::move(fields)};
}
inline Http2Client::Ask get(std::string path) {
    return {{{":path", std::move(path)}}};
}
inline Http2Client::Send send(std::int32_t stream, std::string bytes, bool ends = false) {
    return {stream, std::move(bytes), ends};
}
inline Http2Client::Await await(std::int32_t stream, std::string text = {}) {
    return {stream, std::move(text)};
}

}  // namespace bennu::net::http2_websocket_test
