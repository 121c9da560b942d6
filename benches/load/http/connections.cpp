#include "benches/load/http/connections.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace bench::http {
namespace {

void check(bool good, const char* what) {
    if (!good) throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::uint32_t host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

const sockaddr* generic(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

/// Of an answer whose head says its length: how long it is, and its status; 0 while it is not
/// whole.
std::size_t whole_answer(std::string_view input, int& status) {
    const auto head = input.find("\r\n\r\n");
    if (head == input.npos || head < 12) return 0;
    std::from_chars(input.data() + 9, input.data() + 12, status);
    constexpr std::string_view name = "content-length: ";
    const auto field = input.substr(0, head).find(name);
    std::size_t length = 0;
    if (field != input.npos)
        std::from_chars(input.data() + field + name.size(), input.data() + head, length);
    const std::size_t all = head + 4 + length;
    return input.size() >= all ? all : 0;
}

}  // namespace

Connections::Connections(const Options& options, Watcher& watcher)
    : options_(options), watcher_(watcher), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    check(epoll_ >= 0, "epoll_create1");
}

Connections::~Connections() {
    for (const Socket& socket : sockets_)
        if (socket.fd >= 0) ::close(socket.fd);
    ::close(epoll_);
}

std::size_t Connections::add() {
    sockets_.emplace_back();
    return sockets_.size() - 1;
}

void Connections::open(std::size_t connection) {
    close(connection);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(fd >= 0, "socket");
    sockets_[connection] = {.fd = fd};
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const auto source = loopback(2 + dialled_++ % options_.sources, 0);
    check(bind(fd, generic(source), sizeof source) == 0, "bind");
    const auto server = loopback(1, options_.port);
    check(connect(fd, generic(server), sizeof server) == 0 || errno == EINPROGRESS, "connect");
    epoll_event event{.events = EPOLLOUT | EPOLLIN | EPOLLET, .data = {.u64 = connection}};
    check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

void Connections::close(std::size_t connection) {
    if (sockets_[connection].fd >= 0) ::close(sockets_[connection].fd);
    sockets_[connection] = {};
}

void Connections::send(std::size_t connection, std::string_view bytes, bool is_request) {
    Socket& socket = sockets_[connection];
    if (is_request) socket.busy = true;
    if (::send(socket.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size()))
        lost(connection);
}

void Connections::poll(int timeout_ms) {
    epoll_event events[1024];
    const int count = epoll_wait(epoll_, events, 1024, timeout_ms);
    check(count >= 0 || errno == EINTR, "epoll_wait");
    for (int i = 0; i < count; ++i) {
        const auto connection = static_cast<std::size_t>(events[i].data.u64);
        Socket& socket = sockets_[connection];
        if (socket.fd < 0) continue;
        if (!socket.open) {
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) {
                lost(connection);
                continue;
            }
            socket.open = true;
            watcher_.on_open(connection);
        }
        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) readable(connection);
    }
}

void Connections::readable(std::size_t connection) {
    while (sockets_[connection].fd >= 0) {
        Socket& socket = sockets_[connection];
        const auto got = recv(socket.fd, scratch_.data(), scratch_.size(), 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return lost(connection);
        socket.partial.append(scratch_.data(), static_cast<std::size_t>(got));
        int status = 0;
        const std::size_t size = whole_answer(socket.partial, status);
        if (size > 0) {
            socket.partial.erase(0, size);
            socket.busy = false;
            watcher_.on_answer(connection, status);
        }
        if (got < static_cast<ssize_t>(scratch_.size())) return;
    }
}

void Connections::lost(std::size_t connection) {
    close(connection);
    watcher_.on_closed(connection);
}

}  // namespace bench::http
