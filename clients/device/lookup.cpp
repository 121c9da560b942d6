#include "clients/device/lookup.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

namespace bennu::device {

namespace {

Found resolve(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
    if (error != 0) return {.problem = host + ": " + gai_strerror(error)};
    Found found;
    for (const addrinfo* each = list; each; each = each->ai_next) {
        Address& address = found.addresses.emplace_back();
        std::memcpy(&address.bytes, each->ai_addr, each->ai_addrlen);
        address.size = each->ai_addrlen;
    }
    freeaddrinfo(list);
    return found;
}

}  // namespace

Found resolve_with_system(const std::string& host, std::uint16_t port) {
    return resolve(host, port, 0);
}

/// What the thread and the client share; the last of them closes the pipe.
struct Lookup::Pending {
    int read_end = -1;
    int write_end = -1;
    Found found;
    std::atomic<bool> done = false;

    Pending() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
        read_end = ends[0];
        write_end = ends[1];
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;
    ~Pending() {
        if (read_end >= 0) ::close(read_end);
        if (write_end >= 0) ::close(write_end);
    }
    void finish(Found answer) {
        found = std::move(answer);
        done = true;
        // A pipe of our own takes one byte.
        [[maybe_unused]] const ssize_t sent = ::write(write_end, "", 1);
    }
};

Lookup::Lookup(Resolve resolve) : resolve_(std::move(resolve)) {
    if (!resolve_) resolve_ = &resolve_with_system;
}

void Lookup::begin(const std::string& host, std::uint16_t port) {
    if (pending_) return;
    pending_ = std::make_shared<Pending>();
    if (pending_->read_end < 0) {
        pending_->finish({.problem = host + ": " + std::strerror(errno)});
        return;
    }
    // What is an address already needs no name server.
    Found address = resolve(host, port, AI_NUMERICHOST);
    if (!address.addresses.empty()) {
        pending_->finish(std::move(address));
        return;
    }
    try {
        std::thread([pending = pending_, resolve = resolve_, host, port] {
            pending->finish(resolve(host, port));
        }).detach();
    } catch (const std::system_error& error) {
        pending_->finish({.problem = host + ": " + error.what()});
    }
}

std::optional<Found> Lookup::take() {
    if (!pending_ || !pending_->done) return std::nullopt;
    return std::move(std::exchange(pending_, nullptr)->found);
}

int Lookup::descriptor() const {
    return pending_ ? pending_->read_end : -1;
}

}  // namespace bennu::device
