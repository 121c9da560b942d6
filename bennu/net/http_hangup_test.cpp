// Clients that send and hang up in one go, over the kernel's sockets: the end comes with the data.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bennu/net/http_server.hpp"
#include "bennu/net/http_testing.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"

namespace bennu::net::http_hangup_test {

using namespace std::chrono_literals;

struct Handler : TestHandler {
    Task<HttpResponse> handle(HttpRequest) const override {
        HttpResponse response;
        response.body = "served";
        co_return response;
    }
};

/// Sends, and says that nothing more comes; blocks for two seconds at most.
class Client {
  public:
    explicit Client(const SocketAddress& address) : socket_(connect_to(address)) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { ::close(socket_); }

    void say(std::string_view text) {
        EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
        ::shutdown(socket_, SHUT_WR);
    }
    /// Everything up to the end; `open` when that does not come.
    std::string read_all() {
        std::string all;
        char piece[4096];
        while (true) {
            const ssize_t count = ::recv(socket_, piece, sizeof(piece), 0);
            if (count < 0) return all + "open";
            if (count == 0) return all;
            all.append(piece, static_cast<std::size_t>(count));
        }
    }

  private:
    static int connect_to(const SocketAddress& address) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(address.port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval patience{.tv_sec = 2, .tv_usec = 0};
        ::setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        EXPECT_EQ(::connect(made, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
        return made;
    }
    int socket_;
};

/// Serves, runs `clients` on another thread, and says how many connections are left a moment later.
template <typename F>
std::size_t left_after(F clients) {
    std::size_t left = 1000;
    const int status = run({.shards = 1, .handle_signals = false}, [&]() -> Task<Result<>> {
        std::shared_ptr<const HttpHandler> handler = std::make_shared<Handler>();
        auto server = co_await require(
            co_await start<HttpServer>({}, HttpServerOptions{.head_timeout = 60s}, handler));
        const SocketAddress address = co_await call(server, HttpServer::Address{});
        co_await offload([&] { clients(address); });
        for (int i = 0; i < 200 && left > 0; ++i) {
            co_await sleep(5ms);
            left = co_await call(server, HttpServer::Connections{});
        }
        co_await stop_and_wait(server.pid(), 20s);
        co_return {};
    });
    EXPECT_EQ(status, 0);
    return left;
}

TEST(HttpHangup, who_asks_and_hangs_up_gets_the_answer_and_the_end) {
    int whole = 0;
    const std::size_t left = left_after([&](const SocketAddress& address) {
        for (int i = 0; i < 100; ++i) {
            Client client(address);
            client.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            const std::string answer = client.read_all();
            if (!answer.ends_with("served")) break;  // two seconds for each that hangs are enough
            ++whole;
        }
    });
    EXPECT_EQ(whole, 100);
    EXPECT_EQ(left, 0U);
}

TEST(HttpHangup, who_hangs_up_in_the_middle_of_a_request_is_not_waited_for) {
    for (std::string_view part : {"GET / HTTP/1.1\r\nhost:",
                                  "POST / HTTP/1.1\r\nhost: x\r\n"
                                  "content-length: 100\r\n\r\nhalf"}) {
        const std::size_t left = left_after([&](const SocketAddress& address) {
            for (int i = 0; i < 50; ++i) Client(address).say(part);
        });
        EXPECT_EQ(left, 0U) << part;
    }
}

}  // namespace bennu::net::http_hangup_test
