// A client that sends without end is read a portion at a time, so that others get their turns.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "bennu/net/http_testing.hpp"
#include "bennu/net/tcp_stream.hpp"
#include "bennu/net/websocket_frame.hpp"
#include "bennu/net/websocket_handshake.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net::read_turn_test {

using namespace std::chrono_literals;

/// What came in, and the most of it within one turn of the shard.
struct Seen {
    std::size_t all = 0, in_turn = 0, most = 0;
    void take(std::size_t bytes) {
        if (in_turn == 0) {
            at_turn_end([this] {
                most = std::max(most, in_turn);
                in_turn = 0;
            });
        }
        in_turn += bytes;
        all += bytes;
    }
};

struct CountingSocket : WebSocketHandler {
    explicit CountingSocket(Seen& s) : seen(&s) {}
    void on_open(WebSocketConnection&) override {}
    void on_text(WebSocketConnection&, std::string_view text) override { seen->take(text.size()); }
    void on_binary(WebSocketConnection&, std::string_view) override {}
    Seen* seen;
};

struct Handler : TestHandler {
    explicit Handler(Seen& s) : seen(&s) {}
    Task<HttpResponse> handle(HttpRequest request) const override {
        HttpResponse response;
        if (auto check = check_websocket_request(request.head); check.ok) {
            response.status = 101;
            response.headers = accept_websocket(check.request);
            response.websocket =
                std::make_unique<WebSocketUpgrade>(std::make_unique<CountingSocket>(*seen));
        }
        co_return response;
    }
    Seen* seen;
};

/// Sends all of it as fast as the kernel takes it, from a thread beside the shards, and closes.
bool send_all(SocketAddress address, std::string bytes) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
    bool whole = ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    for (std::size_t sent = 0; whole && sent < bytes.size();) {
        const ssize_t put = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        whole = put > 0;
        sent += whole ? static_cast<std::size_t>(put) : 0;
    }
    ::shutdown(socket, SHUT_WR);
    char rest[4096];
    while (::recv(socket, rest, sizeof rest, 0) > 0) {}
    ::close(socket);
    return whole;
}

TEST(ReadTurn, of_a_websocket_is_a_portion) {
    constexpr std::size_t messages = 8000, size = 1000;
    std::string bytes =
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
        "sec-websocket-version: 13\r\n"
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for (std::size_t i = 0; i < messages; ++i)
        encode_masked_frame(bytes, Opcode::text, std::string(size, 'a'), 0x01020304);
    Seen seen;
    serve_really({}, 1, std::make_shared<Handler>(seen),
                 [&](SocketAddress address) -> Task<Result<>> {
                     const bool sent = co_await offload(
                         [address, bytes = std::move(bytes)] { return send_all(address, bytes); });
                     EXPECT_TRUE(sent);
                     co_return {};
                 });
    EXPECT_EQ(seen.all, messages * size);
    // The last read of a portion may go over it by a buffer, and before the first one comes what
    // was read along with the request.
    EXPECT_LE(seen.most, TcpStream::read_per_turn + 2 * 64 * 1024);
}

}  // namespace bennu::net::read_turn_test
