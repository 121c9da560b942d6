#include "bennu/runtime/reactor/epoll_reactor.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

namespace bennu {

std::string SocketAddress::to_string() const {
    if (is_unix()) return host;
    return host.contains(':') ? fmt::format("[{}]:{}", host, port)
                              : fmt::format("{}:{}", host, port);
}

namespace {

constexpr std::uint64_t wake_token = ~std::uint64_t{0};

Error system_error(int code, std::string_view doing) {
    ErrorKind kind = code == EADDRINUSE ? ErrorKind::conflict
                     : code == EACCES   ? ErrorKind::forbidden
                                        : ErrorKind::io;
    return Error(kind, code == EADDRINUSE ? "address_in_use" : "",
                 std::generic_category().message(code))
        .with_context(doing);
}

/// A Unix socket without one is gone with its listener; anybody on the machine may connect to it.
bool has_file(const SocketAddress& address) {
    return address.is_unix() && !address.host.starts_with("unix:@");
}

struct RawAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

Result<RawAddress> to_raw(const SocketAddress& address) {
    RawAddress raw;
    if (address.is_unix()) {
        auto* local = reinterpret_cast<sockaddr_un*>(&raw.storage);
        std::string path = address.unix_path();
        if (path.empty() || path.size() >= sizeof(local->sun_path)) {
            return Error(ErrorKind::invalid, "bad_address",
                         fmt::format("\"{}\" is too short or too long for a Unix socket", path));
        }
        local->sun_family = AF_UNIX;
        path.copy(local->sun_path, path.size());
        raw.length = sizeof(sockaddr_un);
        if (!has_file(address)) {
            local->sun_path[0] = '\0';
            raw.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
        }
        return raw;
    }
    std::string host = address.host.empty() ? "0.0.0.0" : address.host;
    if (host == "localhost") host = "127.0.0.1";
    auto* v4 = reinterpret_cast<sockaddr_in*>(&raw.storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&raw.storage);
    if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address.port);
        raw.length = sizeof(sockaddr_in);
    } else if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address.port);
        raw.length = sizeof(sockaddr_in6);
    } else {
        return Error(ErrorKind::invalid, "bad_address",
                     fmt::format("\"{}\" is not a numeric IP address", host));
    }
    return raw;
}

SocketAddress from_raw(const sockaddr_storage& storage) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    SocketAddress address;
    if (storage.ss_family == AF_UNIX) {
        const auto& local = reinterpret_cast<const sockaddr_un&>(storage);
        const char* path = local.sun_path;
        if (path[0] == '\0' && path[1] != '\0') return {std::string("unix:@") + (path + 1), 0};
        return {std::string("unix:") + path, 0};
    }
    if (storage.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        address.port = ntohs(v4.sin_port);
    } else {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        address.port = ntohs(v6.sin6_port);
    }
    address.host = text.data();
    return address;
}

Instant clock_now(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return Instant{std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec};
}

/// Removes the file of a Unix socket that nobody listens on any more; anything else stays.
Result<> remove_stale(const RawAddress& raw, const SocketAddress& address) {
    struct stat info{};
    std::string path = address.unix_path();
    if (::lstat(path.c_str(), &info) != 0) return {};
    if (!S_ISSOCK(info.st_mode)) return system_error(EADDRINUSE, path + " is no socket");
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return system_error(errno, "opening a socket");
    const auto* to = reinterpret_cast<const sockaddr*>(&raw.storage);
    int code = ::connect(fd, to, raw.length) == 0 ? 0 : errno;
    ::close(fd);
    if (code != ECONNREFUSED) return system_error(EADDRINUSE, "listening on " + path);
    ::unlink(path.c_str());
    return {};
}

class EpollReactor final : public Reactor {
  public:
    EpollReactor()
        : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (epoll_ < 0 || wake_ < 0) {
            throw std::system_error(errno, std::generic_category(), "opening an epoll set");
        }
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = wake_token;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
    }
    ~EpollReactor() override {
        ::close(wake_);
        ::close(epoll_);
    }
    EpollReactor(const EpollReactor&) = delete;
    EpollReactor& operator=(const EpollReactor&) = delete;

    Instant now() override { return clock_now(CLOCK_MONOTONIC); }
    Timestamp wall_now() override { return system_now(); }

    Result<SocketHandle> listen(const SocketAddress& address, ListenOptions options) override {
        auto raw = to_raw(address);
        if (!raw) return std::move(raw).error();
        if (has_file(address)) {
            Result<> removed = remove_stale(*raw, address);
            if (!removed) return std::move(removed).error();
        }
        int fd = ::socket(raw->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) return system_error(errno, "opening a socket");
        int on = 1;
        // The file is made with no more than these permissions.
        if (has_file(address)) ::fchmod(fd, options.unix_mode);
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (options.reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
        // Inherited by accepted connections: small answers leave at once.
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (::bind(fd, reinterpret_cast<sockaddr*>(&raw->storage), raw->length) != 0 ||
            ::listen(fd, options.backlog) != 0) {
            Error error = system_error(errno, "listening on " + address.to_string());
            ::close(fd);
            return error;
        }
        // The umask may have taken some of them away.
        if (has_file(address)) ::chmod(address.unix_path().c_str(), options.unix_mode);
        return fd;
    }

    Result<SocketHandle> adopt_listener(int inherited) override {
        int fd = ::fcntl(inherited, F_DUPFD_CLOEXEC, 3);
        if (fd < 0) return system_error(errno, "adopting an inherited socket");
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        return fd;
    }

    Result<SocketHandle> connect(const SocketAddress& address) override {
        auto raw = to_raw(address);
        if (!raw) return std::move(raw).error();
        int fd = ::socket(raw->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) return system_error(errno, "opening a socket");
        int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (::connect(fd, reinterpret_cast<sockaddr*>(&raw->storage), raw->length) != 0 &&
            errno != EINPROGRESS) {
            Error error = system_error(errno, "connecting to " + address.to_string());
            ::close(fd);
            return error;
        }
        return fd;
    }

    IoResult accept(SocketHandle listener, SocketHandle& accepted) override {
        while (true) {
            accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (accepted >= 0) return {IoResult::Kind::done, 0, 0};
            if (errno == EINTR || errno == ECONNABORTED) continue;
            return failure(errno);
        }
    }

    IoResult read(SocketHandle socket, std::span<char> into) override {
        while (true) {
            ssize_t count = ::recv(socket, into.data(), into.size(), 0);
            if (count > 0) return {IoResult::Kind::done, static_cast<std::size_t>(count), 0};
            if (count == 0) return {IoResult::Kind::closed, 0, 0};
            if (errno != EINTR) return failure(errno);
        }
    }

    IoResult write(SocketHandle socket, std::span<const char> bytes, More more) override {
        const int flags = MSG_NOSIGNAL | (more == More::follows ? MSG_MORE : 0);
        while (true) {
            ssize_t count = ::send(socket, bytes.data(), bytes.size(), flags);
            if (count >= 0) return {IoResult::Kind::done, static_cast<std::size_t>(count), 0};
            if (errno != EINTR) return failure(errno);
        }
    }

    IoResult send_file(SocketHandle socket, int file, std::uint64_t offset,
                       std::size_t size) override {
        auto at = static_cast<off_t>(offset);
        while (true) {
            ssize_t count = ::sendfile(socket, file, &at, size);
            if (count >= 0) return {IoResult::Kind::done, static_cast<std::size_t>(count), 0};
            if (errno != EINTR) return failure(errno);
        }
    }

    void shutdown_write(SocketHandle socket) override { ::shutdown(socket, SHUT_WR); }
    void close(SocketHandle socket) override {
        // Other descriptors of the same listener keep it in the kernel's table after this one is
        // closed: it would go on reporting, under a number that may soon be another's.
        if (std::erase(listeners_, socket) > 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
        ::close(socket);
    }

    SocketAddress local_address(SocketHandle socket) override {
        sockaddr_storage storage{};
        socklen_t length = sizeof(storage);
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &length);
        return from_raw(storage);
    }
    SocketAddress peer_address(SocketHandle socket) override {
        sockaddr_storage storage{};
        socklen_t length = sizeof(storage);
        ::getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &length);
        return from_raw(storage);
    }

    Result<> watch(SocketHandle socket, std::uint64_t token, bool exclusive) override {
        epoll_event event{};
        // A listener stays level-triggered: a shard that accepts only some leaves the rest to the
        // others.
        event.events =
            exclusive ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.u64 = token;
        if (exclusive) listeners_.push_back(socket);
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0) return {};
        if (errno == EEXIST && ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event) == 0) return {};
        return system_error(errno, "watching a socket");
    }
    void unwatch(SocketHandle socket) override {
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
    }

    std::size_t poll(Instant until, std::span<Event> events) override {
        std::array<epoll_event, 4096> raw;  // not cleared; what is reported is written
        int room = static_cast<int>(std::min(raw.size(), events.size()));
        int count = ::epoll_wait(epoll_, raw.data(), room, timeout_ms(until));
        std::size_t reported = 0;
        for (int i = 0; i < count; ++i) {
            if (raw[i].data.u64 == wake_token) {
                std::uint64_t drained;
                [[maybe_unused]] ssize_t got = ::read(wake_, &drained, sizeof(drained));
                continue;
            }
            std::uint32_t bits = raw[i].events;
            events[reported++] = {raw[i].data.u64,
                                  {(bits & (EPOLLIN | EPOLLRDHUP)) != 0, (bits & EPOLLOUT) != 0,
                                   (bits & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0}};
        }
        return reported;
    }

    void wake() override {
        std::uint64_t one = 1;
        [[maybe_unused]] ssize_t written = ::write(wake_, &one, sizeof(one));
    }

  private:
    int timeout_ms(Instant until) {
        if (until == Instant::max()) return -1;
        Duration left = until - now();
        if (left <= Duration::zero()) return 0;
        auto ms = (left.count() + 999'999) / 1'000'000;
        return static_cast<int>(std::min<std::int64_t>(ms, 60'000));
    }
    static IoResult failure(int code) {
        if (code == EAGAIN || code == EWOULDBLOCK) return {IoResult::Kind::would_block, 0, 0};
        if (code == ECONNRESET || code == EPIPE) return {IoResult::Kind::closed, 0, code};
        return {IoResult::Kind::failed, 0, code};
    }

    int epoll_;
    int wake_;
    std::vector<SocketHandle> listeners_;  ///< that are watched; one, as a rule
};

}  // namespace

std::unique_ptr<Reactor> make_epoll_reactor() {
    return std::make_unique<EpollReactor>();
}

}  // namespace bennu
