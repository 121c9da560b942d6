#include "bennu/net/http_server.hpp"

#include <gtest/gtest.h>

#include "bennu/base/log.hpp"
#include "bennu/net/http_connection.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/net/testing.hpp"
#include "bennu/net/websocket_frame.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/insight/exercise.hpp"
#include "bennu/runtime/insight/snapshot.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::http_server_test {

using namespace std::chrono_literals;

struct EchoSocket : WebSocketHandler {
    void on_open(WebSocketConnection& socket) override { socket.send_text("hello"); }
    void on_text(WebSocketConnection& socket, std::string_view text) override {
        if (text == "crash") throw std::runtime_error("told to");
        socket.send_text(text);
    }
    void on_binary(WebSocketConnection& socket, std::string_view data) override {
        socket.send_binary(data);
    }
};

/// Answers with what it got: method, target and body.
struct EchoHandler : TestHandler {
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        std::string_view target = request.head.target();
        if (target == "/crash") throw std::runtime_error("told to");
        if (target == "/slow") co_await sleep(5ms);
        if (target == "/big") {
            response.body = std::string(1'000'000, 'b');
            co_return response;
        }
        if (target == "/ws") {
            auto check = check_websocket_request(request.head);
            if (!check.ok)
                co_return failure(check.refusal.status, check.refusal.code, check.refusal.message);
            response.status = 101;
            response.headers = accept_websocket(check.request);
            response.websocket = std::make_unique<WebSocketUpgrade>(std::make_unique<EchoSocket>());
            co_return response;
        }
        response.body = std::string(request.head.method_text()) + " " + std::string(target) + " " +
                        request.body;
        co_return response;
    }
};

SimOutcome serve(SimOptions sim, HttpServerOptions options,
                 Function<Task<>(SocketAddress)> client) {
    return net::serve(sim, options, std::make_shared<EchoHandler>(), std::move(client));
}

std::size_t occurrences(std::string_view text, std::string_view of) {
    std::size_t count = 0;
    for (std::size_t at = text.find(of); at != std::string_view::npos; at = text.find(of, at + 1))
        ++count;
    return count;
}

BENNU_SIM_TEST(HttpServer, answers_requests_on_one_connection_in_order, options) {
    std::string answers;
    SimOutcome outcome = serve(options, {}, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(
            address,
            "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"
            "POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
            "POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            "GET /d HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(occurrences(answers, "HTTP/1.1 200 OK"), 4U);
    EXPECT_LT(answers.find("GET /slow "), answers.find("POST /b body"));
    EXPECT_LT(answers.find("POST /b body"), answers.find("POST /c abc"));
    EXPECT_LT(answers.find("POST /c abc"), answers.find("GET /d "));
}

BENNU_SIM_TEST(HttpServer, a_big_body_arrives_whole_through_a_slow_network, options) {
    std::string answers;
    serve(options, {}, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(address,
                                    "GET /big HTTP/1.1\r\nhost: x\r\n\r\n"
                                    "GET /big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    });
    EXPECT_EQ(occurrences(answers, "HTTP/1.1 200 OK"), 2U);
    EXPECT_GT(answers.size(), 2'000'000U);
}

TEST(HttpServer, a_crashing_handler_answers_500_and_the_connection_lives_on) {  // proves 3.23
    LogCapture log;
    std::string answers;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        answers = co_await exchange(address,
                                    "GET /crash HTTP/1.1\r\nhost: x\r\n\r\n"
                                    "GET /after HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    });
    EXPECT_TRUE(answers.contains("HTTP/1.1 500 ")) << answers;
    EXPECT_TRUE(answers.contains("GET /after ")) << answers;
    EXPECT_TRUE(log.contains("a request crashed"));
}

TEST(HttpServer, an_idle_connection_is_small) {
    EXPECT_LE(sizeof(HttpConnection), 256U);
}

struct Refused {
    const char* request;
    const char* answer;
};

TEST(HttpServer, bad_input_gets_its_status_and_ends_only_its_connection) {
    const Refused cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\nhost: x\n\n", "HTTP/1.1 400 "},
        {"\x16\x03\x01garbage\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/3.0\r\nhost: x\r\n\r\n", "HTTP/1.1 505 "},
        {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1001\r\n\r\n", "HTTP/1.1 413 "},
        {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400 "},
    };
    for (const Refused& refused : cases) {
        std::string answer, other;
        serve({}, {}, [&](SocketAddress address) -> Task<> {
            auto neighbour = co_await start<RawClient>({}, address);
            answer = co_await exchange(address, refused.request);
            cast(*neighbour, RawClient::Send{"GET /n HTTP/1.1\r\nhost: x\r\n\r\n"});
            other = co_await call(*neighbour, RawClient::ReadUntil{"GET /n"});
        });
        EXPECT_TRUE(answer.starts_with(refused.answer)) << refused.request << " -> " << answer;
        EXPECT_TRUE(other.contains("200 OK"));
    }
    std::string target(9000, 'a');
    std::string answer;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        answer = co_await exchange(address, "GET /" + target + " HTTP/1.1\r\nhost: x\r\n\r\n");
    });
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 414 "));
}

TEST(HttpServer, slow_heads_time_out_and_idle_connections_are_closed) {
    std::string slow, idle;
    SimOutcome outcome = serve({}, {}, [&](SocketAddress address) -> Task<> {
        slow = co_await exchange(address, "GET / HTTP/1.1\r\nhos");
        idle = co_await exchange(address, "");
    });
    EXPECT_TRUE(slow.starts_with("HTTP/1.1 408 ")) << slow;
    EXPECT_EQ(idle, "");
    EXPECT_LT(outcome.virtual_time, 90s);
}

TEST(HttpServer, expects_continue_before_a_body) {
    std::string answer;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        auto client = co_await start<RawClient>({}, address);
        cast(*client, RawClient::Send{"POST /e HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: "
                                      "100-continue\r\n\r\n"});
        answer = co_await call(*client, RawClient::ReadUntil{"100 Continue\r\n\r\n"});
        cast(*client, RawClient::Send{"abc"});
        answer = co_await call(*client, RawClient::ReadUntil{"POST /e abc"});
    });
    EXPECT_TRUE(answer.contains("POST /e abc"));
}

std::string masked(std::string_view text) {
    std::string frame;
    encode_masked_frame(frame, Opcode::text, text, 0x01020304);
    return frame;
}

constexpr std::string_view upgrade_request =
    "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

BENNU_SIM_TEST(WebSocket, echoes_after_the_handshake_even_when_all_bytes_come_at_once, options) {
    std::string answer;
    SimOutcome outcome = serve(options, {}, [&](SocketAddress address) -> Task<> {
        std::string bytes(upgrade_request);
        bytes += masked("one") + masked("two");
        encode_masked_close(bytes, 1000, "bye", 0x0a0b0c0d);
        answer = co_await exchange(address, bytes);
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 101 ")) << answer;
    EXPECT_TRUE(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    EXPECT_TRUE(answer.contains(text_frame("hello") + text_frame("one") + text_frame("two")));
}

TEST(WebSocket, a_crashing_handler_closes_its_socket_with_1011) {
    LogCapture log;
    std::string answer;
    serve({}, {}, [&](SocketAddress address) -> Task<> {
        answer = co_await exchange(address, std::string(upgrade_request) + masked("crash"));
    });
    EXPECT_TRUE(answer.contains("\x03\xF3"));  // 1011
}

struct ClientSocket : WebSocketHandler {
    explicit ClientSocket(std::vector<std::string>& l) : log(l) {}
    void on_open(WebSocketConnection& socket) override {
        log.emplace_back("open");
        socket.send_text(std::string(50'000, 'z'));
    }
    void on_text(WebSocketConnection& socket, std::string_view text) override {
        log.emplace_back("text " + std::to_string(text.size()));
        if (text.size() > 100) socket.close(1000);
    }
    void on_binary(WebSocketConnection&, std::string_view) override {}
    void on_close(WebSocketConnection&, std::uint16_t code, std::string_view) override {
        log.emplace_back("close " + std::to_string(code));
    }
    std::vector<std::string>& log;
};

BENNU_SIM_TEST(WebSocket, our_client_speaks_with_our_server, options) {
    std::vector<std::string> log;
    SimOutcome outcome = serve(options, {}, [&](SocketAddress address) -> Task<> {
        auto client = connect_websocket({.address = address, .host = {}, .path = "/ws"},
                                        std::make_unique<ClientSocket>(log));
        (void)co_await exit_of(client.pid());
    });
    EXPECT_FALSE(outcome.hung);
    EXPECT_EQ(log, (std::vector<std::string>{"open", "text 5", "text 50000", "close 1000"}));
}

TEST(WebSocket, stopping_the_server_closes_its_sockets_with_1012) {
    std::vector<std::string> log;
    simulate({}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<EchoHandler>();
        auto server = co_await start<HttpServer>(
            {}, HttpServerOptions{.address = {"127.0.0.1", 8000}}, handler);
        auto client = co_await start<RawClient>({}, SocketAddress{"127.0.0.1", 8000});
        cast(*client, RawClient::Send{std::string(upgrade_request)});
        (void)co_await call(*client, RawClient::ReadUntil{"hello"});
        co_await stop_and_wait(server->pid(), 30s);
        log.push_back(co_await call(*client, RawClient::ReadAll{}));
        co_return {};
    });
    ASSERT_EQ(log.size(), 1U);
    EXPECT_TRUE(log[0].contains("\x03\xF4"));  // 1012
}

BENNU_SIM_TEST(HttpServer, a_crash_gives_the_port_up_and_the_next_one_serves, options) {
    LogCapture log;
    SimOutcome outcome = simulate(options, []() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<EchoHandler>();
        std::vector<ChildSpec> children;
        children.push_back(child<HttpServer>(
            {.name = "server"}, HttpServerOptions{.address = {"127.0.0.1", 8000}}, handler));
        auto tree = co_await require(supervise({}, std::move(children)));
        for (int round = 0; round < 3; ++round) {
            const Pid before = whereis("server");
            co_await require(co_await runtime::crash_process(before, "a drill"));
            while (!whereis("server") || whereis("server") == before) co_await sleep(1ms);
            const auto next = whereis<HttpServer>("server");
            const SocketAddress address = co_await call(next, HttpServer::Address{});
            const std::string answer = co_await exchange(
                address, "GET /again HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            EXPECT_TRUE(answer.contains("GET /again ")) << answer;
            co_await sleep(6s);
            EXPECT_EQ(co_await call(next, HttpServer::Connections{}), 0U);
        }
        const RuntimeSnapshot seen = co_await runtime::snapshot({.top = 100});
        for (const TypeInfo& type : seen.types) {
            if (type.type.contains("Acceptor")) EXPECT_EQ(type.processes, shard_count());
        }
        co_await stop_and_wait(tree.pid(), 30s);
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

TEST(WebSocket, outlives_a_crash_of_the_server_and_is_closed_by_the_next) {
    LogCapture log;
    std::string received;
    simulate({}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<EchoHandler>();
        const SocketAddress address{"127.0.0.1", 8000};
        std::vector<ChildSpec> children;
        children.push_back(child<HttpServer>({.name = "server", .shutdown = 30s},
                                             HttpServerOptions{.address = address}, handler));
        auto tree = co_await require(supervise({}, std::move(children)));
        auto client = co_await start<RawClient>({}, address);
        cast(*client, RawClient::Send{std::string(upgrade_request)});
        (void)co_await call(*client, RawClient::ReadUntil{"hello"});
        const Pid before = whereis("server");
        co_await require(co_await runtime::crash_process(before, "a drill"));
        while (!whereis("server") || whereis("server") == before) co_await sleep(1ms);
        const auto next = whereis<HttpServer>("server");
        EXPECT_EQ(co_await call(next, HttpServer::Connections{}), 1U);
        co_await stop_and_wait(tree.pid(), 60s);
        received = co_await call(*client, RawClient::ReadAll{});
        co_return {};
    });
    EXPECT_TRUE(received.contains("\x03\xF4"));  // 1012
}

TEST(HttpServerMultiShard, serves_from_every_shard_over_real_sockets) {
    std::string answer;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<EchoHandler>();
        auto server = co_await start<HttpServer>({}, HttpServerOptions{}, handler);
        EXPECT_TRUE(server);
        SocketAddress address = co_await call(*server, HttpServer::Address{});
        for (int i = 0; i < 50; ++i) {
            answer = co_await exchange(address,
                                       "GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            EXPECT_TRUE(answer.contains("GET /x ")) << answer;
        }
        co_await stop_and_wait(server->pid(), 5s);
        co_return {};
    });
    EXPECT_EQ(status, 0);
}

TEST(HttpServerMultiShard, a_crash_leaves_an_inherited_listener_to_the_next_server) {
    LogCapture log;
    int served = 0;
    int status = run({.shards = 2, .handle_signals = false}, [&]() -> Task<Result<>> {
        const SocketHandle held = co_await require(reactor().listen({"127.0.0.1", 0}, {}));
        const SocketAddress address = reactor().local_address(held);
        std::shared_ptr<const HttpHandler> handler = std::make_shared<EchoHandler>();
        std::vector<ChildSpec> children;
        children.push_back(child<HttpServer>(
            {.name = "server"}, HttpServerOptions{.inherited_listener = held}, handler));
        auto tree = co_await require(supervise({.budget = {.restarts = 10}}, std::move(children)));
        for (int round = 0; round < 4; ++round) {
            const Pid before = whereis("server");
            co_await require(co_await runtime::crash_process(before, "a drill"));
            while (!whereis("server") || whereis("server") == before) co_await sleep(1ms);
            for (int i = 0; i < 20; ++i) {
                const std::string answer = co_await exchange(
                    address, "GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
                served += answer.contains("GET /x ");
            }
        }
        co_await stop_and_wait(tree.pid(), 5s);
        reactor().close(held);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(served, 80);
}

}  // namespace bennu::net::http_server_test
