#include "benches/load/swarm.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "benches/load/frame.hpp"

namespace bench {
namespace {

constexpr std::size_t scratch_bytes = 256 * 1024;

[[noreturn]] void fail_system(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void check(bool good, const char* what) {
    if (!good) fail_system(what);
}

sockaddr_in loopback(std::uint32_t host, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000000U + host);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

const sockaddr* generic(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

Swarm::Swarm(const Options& options, const Dialect& dialect)
    : options_(options),
      dialect_(dialect),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      scratch_(scratch_bytes) {
    check(epoll_ >= 0, "epoll");
}

Swarm::~Swarm() {
    close_all();
    close(epoll_);
}

void Swarm::close_all() {
    for (auto& socket : sockets_)
        if (socket.fd >= 0) close(socket.fd);
    sockets_.clear();
    joined_ = 0;
}

void Swarm::reset_all() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    for (auto& socket : sockets_)
        setsockopt(socket.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_all();
}

void Swarm::open(std::size_t count) {
    const std::size_t wanted = sockets_.size() + count;
    const auto deadline = now() + static_cast<Nanoseconds>(options_.patience * 1e9);
    sockets_.reserve(wanted);
    while (joined_ < wanted) {
        while (sockets_.size() < wanted && sockets_.size() - joined_ < options_.opening)
            connect_one();
        poll(100);
        if (now() > deadline)
            throw std::runtime_error("only " + std::to_string(joined_) + " of " +
                                     std::to_string(wanted) + " sockets joined in time");
    }
}

void Swarm::connect_one() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(fd >= 0, "socket");
    sockets_.push_back({.fd = fd});
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // The port is chosen per destination at connect, not reserved at bind: more than one address
    // can hold.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const auto turn = static_cast<std::uint32_t>(dialled_++ % options_.sources);
    const auto source = loopback(2 + options_.first_source + turn, 0);
    check(bind(fd, generic(source), sizeof source) == 0, "bind");
    const auto server = loopback(1, options_.port);
    check(connect(fd, generic(server), sizeof server) == 0 || errno == EINPROGRESS, "connect");
    epoll_event event{.events = EPOLLOUT, .data = {.u64 = sockets_.size() - 1}};
    check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

bool Swarm::poll(int timeout_ms) {
    epoll_event events[1024];
    const int count = epoll_wait(epoll_, events, 1024, timeout_ms);
    if (count < 0 && errno != EINTR) fail_system("epoll_wait");
    for (int i = 0; i < count; ++i) {
        const auto index = static_cast<std::size_t>(events[i].data.u64);
        if (sockets_[index].state == State::connecting)
            connected(index);
        else
            readable(index);
    }
    return count > 0;
}

void Swarm::poll_for(double seconds) {
    const auto end = now() + static_cast<Nanoseconds>(seconds * 1e9);
    while (now() < end) poll(50);
}

void Swarm::connected(std::size_t index) {
    Socket& socket = sockets_[index];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail(index, "cannot connect: " + std::generic_category().message(error));
    socket.state = State::upgrading;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
    check(epoll_ctl(epoll_, EPOLL_CTL_MOD, socket.fd, &event) == 0, "epoll_ctl");
    send(index, "GET " + dialect_.target() +
                    " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
                    "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
}

void Swarm::readable(std::size_t index) {
    Socket& socket = sockets_[index];
    const std::size_t kept = socket.partial.size();
    // For a message that is longer than the space; `read_frame` knows how long one may be.
    if (kept > scratch_.size() / 2) scratch_.resize(2 * scratch_.size());
    if (kept > 0) std::memcpy(scratch_.data(), socket.partial.data(), kept);
    const auto got = recv(socket.fd, scratch_.data() + kept, scratch_.size() - kept, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) fail(index, std::generic_category().message(errno));
    if (got == 0) fail(index, "closed by the server");
    std::string_view input(scratch_.data(), kept + static_cast<std::size_t>(got));
    if (socket.state == State::upgrading) {
        const std::size_t head = upgraded(index, input);
        if (head == 0) {
            socket.partial.assign(input);
            return;
        }
        input.remove_prefix(head);
    }
    while (!input.empty()) {
        const Frame frame = read_frame(input);
        if (frame.size == 0) break;
        input.remove_prefix(frame.size);
        if (frame.opcode == Opcode::text || frame.opcode == Opcode::binary)
            message(index, frame.payload);
        else if (frame.opcode == Opcode::ping)
            send(index, client_frame(Opcode::pong, frame.payload));
        else if (frame.opcode == Opcode::close)
            fail(index, "closed by the server with a close frame");
    }
    if (input.empty())
        socket.partial.clear();
    else
        socket.partial.assign(input);
}

std::size_t Swarm::upgraded(std::size_t index, std::string_view input) {
    const auto end = input.find("\r\n\r\n");
    if (end == input.npos) return 0;
    // The answer to the constant key, from RFC 6455 section 1.3.
    if (!input.starts_with("HTTP/1.1 101") ||
        header(input, "sec-websocket-accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        fail(index, "no WebSocket: " + std::string(input.substr(0, end)));
    sockets_[index].state = State::joining;
    const std::string greeting = dialect_.greeting();
    if (greeting.empty())
        joined(sockets_[index]);
    else
        send(index, client_frame(Opcode::text, greeting));
    return end + 4;
}

void Swarm::message(std::size_t index, std::string_view payload) {
    Meaning meaning = Meaning::delivery;
    if (payload != known_delivery_) {
        meaning = dialect_.meaning(payload);
        if (meaning == Meaning::delivery) {
            if (!known_delivery_.empty()) fail(index, "got a broadcast with other bytes");
            known_delivery_ = payload;
        }
    }
    if (meaning == Meaning::joined && sockets_[index].state == State::joining)
        joined(sockets_[index]);
    else if (meaning == Meaning::reply)
        send(index, client_frame(Opcode::text, dialect_.reply(payload)));
    else if (listener_ != nullptr && meaning == Meaning::other)
        listener_->on_other(index, payload, now());
    else if (listener_ != nullptr)
        listener_->on_message(index, meaning, now());
}

void Swarm::joined(Socket& socket) {
    socket.state = State::joined;
    ++joined_;
    // An acknowledgement for every second message, not for each: half of the cost of reading one is
    // the generator's.
    const int off = 0;
    setsockopt(socket.fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

void Swarm::send(std::size_t index, std::string_view frame) {
    // Small frames, one or a few under way per socket: a full buffer means that the server does not
    // read.
    const auto sent = ::send(sockets_[index].fd, frame.data(), frame.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(frame.size())) fail(index, "the server does not read");
}

void Swarm::fail(std::size_t index, const std::string& what) const {
    throw std::runtime_error("socket " + std::to_string(index) + ": " + what);
}

}  // namespace bench
