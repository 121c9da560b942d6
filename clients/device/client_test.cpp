#include "clients/device/client.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace bennu::device {
namespace client_tests {

using namespace std::chrono_literals;

/// The other end of a socket, without a thread: it does only what the test asks.
class RawServer {
  public:
    RawServer() {
        listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(listener_, 8) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            throw std::runtime_error("no loopback");
        }
        port_ = ntohs(address.sin_port);
    }
    ~RawServer() {
        hang_up();
        stop_listening();
    }
    std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/socket"; }
    void stop_listening() {
        if (listener_ >= 0) ::close(listener_);
        listener_ = -1;
    }
    void accept() { connection_ = ::accept(listener_, nullptr, nullptr); }
    void hang_up() {
        if (connection_ >= 0) ::close(connection_);
        connection_ = -1;
    }
    void send(std::string_view bytes) {
        ASSERT_EQ(::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    /// What is there now.
    std::string read() {
        std::string all(1024 * 1024, '\0');
        const ssize_t got = ::recv(connection_, all.data(), all.size(), MSG_DONTWAIT);
        all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return all;
    }
    void text(std::string_view message) {
        send(net::prepare_broadcast_frame(message, net::Opcode::text));
    }

  private:
    int listener_ = -1;
    int connection_ = -1;
    std::uint16_t port_ = 0;
};

/// A client of it that notes what happened.
struct World {
    explicit World(ClientOptions options = {}) {
        options.url = server.url();
        options.session.random = [] { return 0.0; };
        options.on_open = [this] { log += "open\n"; };
        options.on_close = [this](const std::string& problem) { log += problem + "\n"; };
        client.emplace(std::move(options));
    }

    template <typename Condition>
    bool until(Condition condition) {
        for (int i = 0; i < 500; ++i) {
            if (condition()) return true;
            client->poll(10ms);
        }
        return false;
    }
    std::string handshake() {
        client->start();
        client->step();
        server.accept();
        std::string request;
        EXPECT_TRUE(until([&] {
            request += server.read();
            return request.ends_with("\r\n\r\n");
        }));
        return request;
    }
    static std::string answer_to(const std::string& request) {
        const std::size_t at = request.find("Sec-WebSocket-Key: ") + 19;
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
               "Upgrade\r\nSec-WebSocket-Accept: " +
               accept_of(request.substr(at, 24)) + "\r\n\r\n";
    }
    void open() {
        server.send(answer_to(handshake()));
        ASSERT_TRUE(until([&] { return client->connected(); }));
        log.clear();
    }
    /// The next message that the client sent.
    std::string message() {
        std::string text;
        EXPECT_TRUE(until([&] {
            received += server.read();
            const net::WebSocketEvent event = decoder.next({received.data(), received.size()});
            if (event.kind == net::WebSocketEvent::Kind::need_more) return false;
            text = event.payload;
            if (event.kind == net::WebSocketEvent::Kind::pong) text = "pong " + text;
            if (event.kind == net::WebSocketEvent::Kind::close) {
                text = "close " + std::to_string(event.code);
            }
            received.erase(0, event.consumed);
            return true;
        }));
        return text;
    }

    RawServer server;
    std::string log;
    std::string received;
    net::WebSocketDecoder decoder{net::WebSocketDecoder::Role::server};
    std::optional<Client> client;
};

TEST(DeviceClient, a_url_that_is_none_is_refused) {
    EXPECT_THROW(Client({.url = "http://example.com"}), std::invalid_argument);
    for (const char* url : {"ws://example.com/socket?token=1", "ws://example.com?"}) {
        try {
            Client client({.url = url});
            FAIL() << url;
        } catch (const std::invalid_argument& error) {
            EXPECT_NE(std::string(error.what()).find("ClientOptions::params"), std::string::npos);
        }
    }
}

TEST(DeviceClient, opens_joins_and_hears_messages_that_come_in_pieces) {
    World world({.params = {{"name", "a b"}}});
    std::string heard;
    Channel& room = world.client->channel(
        "room:a", {.on_event = [&](std::string_view event, std::string_view payload) {
            heard += std::string(event) + std::string(payload);
        }});
    room.join();
    const std::string request = world.handshake();
    EXPECT_TRUE(request.starts_with("GET /socket/websocket?name=a%20b&vsn=2.0.0 HTTP/1.1\r\n"));
    // The answer byte by byte, its end together with the first message.
    const std::string answer = World::answer_to(request);
    for (const char c : answer.substr(0, answer.size() - 1)) {
        world.server.send({&c, 1});
        world.client->step();
    }
    EXPECT_FALSE(world.client->connected());
    world.server.send("\n" + net::prepare_broadcast_frame("[null,null,\"room:b\",\"x\",{}]"));
    ASSERT_TRUE(world.until([&] { return world.client->connected(); }));
    EXPECT_EQ(world.log, "open\n");
    EXPECT_EQ(world.message(), R"(["1","1","room:a","phx_join",{}])");
    world.server.text(R"(["1","1","room:a","phx_reply",{"status":"ok","response":{}}])");
    ASSERT_TRUE(world.until([&] { return room.joined(); }));
    for (const char c : net::prepare_broadcast_frame("[null,null,\"room:a\",\"said\",{\"n\":1}]")) {
        world.server.send({&c, 1});
        world.client->step();
    }
    ASSERT_TRUE(world.until([&] { return !heard.empty(); }));
    EXPECT_EQ(heard, R"(said{"n":1})");

    // An app's own loop knows when a push is due.
    EXPECT_GT(*world.client->due(), 20s);
    EXPECT_TRUE(world.client->wants_read());
    EXPECT_FALSE(world.client->wants_write());
    EXPECT_EQ(room.push("say", "{}"), PushResult::accepted);
    EXPECT_EQ(world.client->due(), 0ms);
    EXPECT_EQ(world.message(), R"(["1","2","room:a","say",{}])");
    EXPECT_GT(*world.client->due(), 20s);
}

TEST(DeviceClient, answers_pings_and_says_goodbye) {
    World world;
    world.open();
    std::string ping;
    net::encode_frame(ping, net::Opcode::ping, "there?");
    world.server.send(ping);
    EXPECT_EQ(world.message(), "pong there?");
    world.client->stop();
    world.client->run();  // ends at once
    EXPECT_EQ(world.message(), "close 1000");
    EXPECT_EQ(world.log, "closed by this client\n");
    EXPECT_EQ(world.client->due(), std::nullopt);
    EXPECT_EQ(world.client->descriptor(), -1);
}

TEST(DeviceClient, whatever_ends_a_connection_has_a_name_and_is_tried_again_in_a_second) {
    World world({.largest_message = 1000});
    const auto expect_end = [&](std::string_view problem) {
        ASSERT_TRUE(world.until([&] { return !world.log.empty(); }));
        EXPECT_EQ(world.log, std::string(problem) + "\n");
        ASSERT_TRUE(world.client->due());
        EXPECT_GT(*world.client->due(), 800ms);
        world.client->stop();
        world.client->run();
        world.server.hang_up();
        world.received.clear();
        world.decoder = net::WebSocketDecoder(net::WebSocketDecoder::Role::server);
        world.log.clear();
    };
    world.open();
    world.server.hang_up();
    expect_end("the server closed the connection");

    world.open();
    std::string close;
    net::encode_close(close, net::close_code::service_restart);
    world.server.send(close);
    expect_end("the server closed: 1012");

    world.open();
    world.server.text(std::string(1001, 'x'));
    expect_end("not a WebSocket's frame: message too big");

    world.open();
    world.server.text("no frame of the protocol");
    expect_end("closed by this client");

    (void)world.handshake();
    world.server.send("HTTP/1.1 403 Forbidden\r\n\r\n");
    expect_end("the server answered 403 Forbidden");

    world.server.stop_listening();
    world.client->start();
    expect_end("Connection refused");
}

TEST(DeviceClient, a_server_that_never_answers_is_given_up) {
    World world({.connect_timeout = 50ms});
    (void)world.handshake();
    ASSERT_TRUE(world.until([&] { return !world.log.empty(); }));
    EXPECT_EQ(world.log, "no connection in time\n");
}

TEST(DeviceClient, a_server_that_reads_nothing_fills_the_queue_and_no_memory) {
    World world;
    Channel& room = world.client->channel("room:a", {.queue = {.pushes = 20}});
    room.join();
    world.open();
    EXPECT_EQ(world.message(), R"(["1","1","room:a","phx_join",{}])");
    world.server.text(R"(["1","1","room:a","phx_reply",{"status":"ok","response":{}}])");
    ASSERT_TRUE(world.until([&] { return room.joined(); }));
    const std::string payload = '"' + std::string(10'000, 'x') + '"';
    int accepted = 0;
    // The kernel's buffers take some megabytes, then it is over.
    for (int i = 0; i < 10'000; ++i) {
        if (room.push("x", payload) != PushResult::accepted) break;
        ++accepted;
        world.client->step();
    }
    EXPECT_LT(accepted, 10'000);
    EXPECT_EQ(room.waiting(), 20U);
    EXPECT_TRUE(world.client->wants_write());
    EXPECT_GT(*world.client->due(), 0ms);
    // Once it reads, everything arrives.
    int arrived = 0;
    ASSERT_TRUE(world.until([&] {
        world.received += world.server.read();
        while (true) {
            const net::WebSocketEvent event =
                world.decoder.next({world.received.data(), world.received.size()});
            if (event.kind == net::WebSocketEvent::Kind::need_more) break;
            arrived += event.kind == net::WebSocketEvent::Kind::text;
            world.received.erase(0, event.consumed);
        }
        return arrived == accepted;
    })) << arrived
        << " of " << accepted;
}

}  // namespace client_tests
}  // namespace bennu::device
