// The physical limit: a server that does nothing but write the bytes that it is told to the sockets
// that are there. What a client sends at /broadcast goes to every socket, what it sends at /echo
// comes back. One thread, one epoll, no queues.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "benches/load/frame.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/crypto.hpp"

namespace bench {
namespace {

void check(bool good, const char* what) {
    if (!good) throw std::system_error(errno, std::generic_category(), what);
}

class BareServer {
  public:
    explicit BareServer(std::uint16_t port)
        : listener_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
          epoll_(epoll_create1(EPOLL_CLOEXEC)) {
        const int on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        check(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
        check(::listen(listener_, 4096) == 0, "listen");
        watch(listener_);
    }

    [[noreturn]] void run() {
        epoll_event events[1024];
        for (;;) {
            const int count = epoll_wait(epoll_, events, 1024, -1);
            check(count >= 0 || errno == EINTR, "epoll_wait");
            for (int i = 0; i < count; ++i) {
                if (events[i].data.fd == listener_)
                    accept_all();
                else
                    readable(events[i].data.fd);
            }
        }
    }

  private:
    struct Client {
        bool open = false;
        bool echoes = false;
        std::string input;
    };

    void watch(int fd) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
        check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    }

    void accept_all() {
        for (int fd;
             (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
            if (clients_.size() <= static_cast<std::size_t>(fd))
                clients_.resize(static_cast<std::size_t>(fd) + 1);
            clients_[static_cast<std::size_t>(fd)] = {};
            watch(fd);
        }
    }

    void drop(int fd) {
        clients_[static_cast<std::size_t>(fd)] = {};
        std::erase(open_, fd);
        close(fd);
    }

    void readable(int fd) {
        char scratch[65536];
        const auto got = recv(fd, scratch, sizeof scratch, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return drop(fd);
        auto& client = clients_[static_cast<std::size_t>(fd)];
        std::string_view input(scratch, static_cast<std::size_t>(got));
        if (!client.input.empty()) input = client.input.append(input);
        if (!client.open) {
            const auto end = input.find("\r\n\r\n");
            if (end != input.npos) open(fd, input.substr(0, end + 2));
            input = end == input.npos ? input : input.substr(end + 4);
        }
        while (client.open && !input.empty()) {
            const Frame frame = read_frame(input);
            if (frame.size == 0) break;
            input.remove_prefix(frame.size);
            if (frame.opcode == Opcode::close) return drop(fd);
            if (frame.opcode == Opcode::text) deliver(fd, client.echoes, unmask(frame));
        }
        client.input = std::string(input);
    }

    void open(int fd, std::string_view head) {
        auto& client = clients_[static_cast<std::size_t>(fd)];
        client.open = true;
        client.echoes = head.starts_with("GET /echo ");
        open_.push_back(fd);
        const auto digest = bennu::sha1(std::string(header(head, "sec-websocket-key")) +
                                        "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
        write(fd,
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: " +
                  bennu::base64_encode(bennu::as_text(digest)) + "\r\n\r\n");
    }

    void deliver(int from, bool echo, std::string_view text) {
        const std::string frame = server_frame(Opcode::text, text);
        if (echo) return write(from, frame);
        for (int fd : open_) write(fd, frame);
    }

    void write(int fd, std::string_view bytes) {
        const auto sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent != static_cast<ssize_t>(bytes.size()) && errno != EPIPE && errno != ECONNRESET)
            throw std::runtime_error("a client does not read");
    }

    int listener_;
    int epoll_;
    std::vector<Client> clients_;  ///< by descriptor
    std::vector<int> open_;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
    if (argc != 3 || std::string_view(argv[1]) != "--port") {
        std::fputs("bench_bare_server --port P\n", stderr);
        return 2;
    }
    try {
        bench::BareServer(static_cast<std::uint16_t>(std::atoi(argv[2]))).run();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench_bare_server: %s\n", problem.what());
        return 1;
    }
}
