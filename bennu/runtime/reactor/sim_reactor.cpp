#include "bennu/runtime/reactor/sim_reactor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bennu/runtime/pool.hpp"

namespace bennu {

namespace {

constexpr std::size_t socket_buffer = 64 * 1024;
constexpr Duration first_retry = std::chrono::seconds(1);

}  // namespace

// What a kernel allocates is no allocation of the process that calls it.
using detail::MustAllocate;

Result<SocketHandle> SimReactor::listen(const SocketAddress& address, ListenOptions) {
    MustAllocate kernel;
    SimNetwork::Endpoint endpoint;
    endpoint.listener = true;
    endpoint.local = address;
    if (endpoint.local.port == 0) endpoint.local.port = network_.next_port_++;
    if (network_.listener_at(endpoint.local.port) >= 0)
        return Error(ErrorKind::conflict, "address_in_use", endpoint.local.to_string());
    return network_.open(std::move(endpoint));
}

Result<SocketHandle> SimReactor::connect(const SocketAddress& address) {
    MustAllocate kernel;
    SimNetwork::Endpoint mine;
    mine.local = {"127.0.0.1", network_.next_port_++};
    mine.remote = address;
    int handle = network_.open(std::move(mine));
    SimNetwork& network = network_;
    network.after(network.options_.min_latency,
                  [&network, handle] { network.establish(handle, first_retry); });
    return handle;
}

IoResult SimReactor::accept(SocketHandle listener, SocketHandle& accepted) {
    accepted = -1;
    SimNetwork::Endpoint* endpoint = network_.find(listener);
    if (!endpoint) return {IoResult::Kind::failed, 0, EBADF};
    if (endpoint->backlog.empty()) return {IoResult::Kind::would_block, 0, 0};
    accepted = endpoint->backlog.front();
    endpoint->backlog.pop_front();
    return {};
}

IoResult SimReactor::read(SocketHandle socket, std::span<char> into) {
    MustAllocate kernel;
    SimNetwork::Endpoint* endpoint = network_.find(socket);
    if (!endpoint) return {IoResult::Kind::failed, 0, EBADF};
    if (endpoint->failed) return {IoResult::Kind::closed, 0, ECONNRESET};
    if (endpoint->inbox.empty()) {
        return {endpoint->peer_closed ? IoResult::Kind::closed : IoResult::Kind::would_block, 0, 0};
    }
    // All that is asked for: a short read tells the caller that the socket is drained.
    std::size_t count = std::min(into.size(), endpoint->inbox.size());
    std::copy_n(endpoint->inbox.data(), count, into.data());
    endpoint->inbox.erase(0, count);
    if (SimNetwork::Endpoint* peer = network_.find(endpoint->peer)) {
        bool was_full = peer->in_flight >= socket_buffer;
        peer->in_flight -= std::min(peer->in_flight, count);
        if (was_full) network_.notify(endpoint->peer, {.writable = true});
    }
    return {IoResult::Kind::done, count, 0};
}

IoResult SimReactor::write(SocketHandle socket, std::span<const char> bytes, More) {
    MustAllocate kernel;
    SimNetwork::Endpoint* endpoint = network_.find(socket);
    if (!endpoint) return {IoResult::Kind::failed, 0, EBADF};
    if (endpoint->failed) return {IoResult::Kind::closed, 0, EPIPE};
    if (!endpoint->connected) return {IoResult::Kind::would_block, 0, 0};
    if (!network_.find(endpoint->peer)) return {IoResult::Kind::closed, 0, EPIPE};
    std::size_t room = socket_buffer - std::min(socket_buffer, endpoint->in_flight);
    std::size_t count = std::min(bytes.size(), room);
    if (count == 0) return {IoResult::Kind::would_block, 0, 0};
    endpoint->in_flight += count;
    network_.send(socket, {bytes.data(), count});
    if (endpoint->failed) return {IoResult::Kind::closed, 0, ECONNRESET};
    return {IoResult::Kind::done, count, 0};
}

IoResult SimReactor::send_file(SocketHandle socket, int file, std::uint64_t offset,
                               std::size_t size) {
    MustAllocate kernel;
    std::string bytes(std::min(size, socket_buffer), '\0');
    ssize_t count = ::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0) return {IoResult::Kind::failed, 0, errno};
    if (count == 0) return {};
    return write(socket, std::span(bytes).first(static_cast<std::size_t>(count)), More::none);
}

void SimReactor::shutdown_write(SocketHandle socket) {
    MustAllocate kernel;
    network_.send_close(socket);
}

void SimReactor::close(SocketHandle socket) {
    MustAllocate kernel;
    SimNetwork::Endpoint* endpoint = network_.find(socket);
    if (!endpoint) return;
    if (endpoint->listener) {
        // The shards that share it have a descriptor each in reality.
        unwatch(socket);
        if (!endpoint->watchers.empty()) return;
    }
    if (endpoint->connected) network_.send_close(socket);
    endpoint->open = false;
    endpoint->watchers.clear();
}

SocketAddress SimReactor::local_address(SocketHandle socket) {
    SimNetwork::Endpoint* endpoint = network_.find(socket);
    return endpoint ? endpoint->local : SocketAddress{};
}

SocketAddress SimReactor::peer_address(SocketHandle socket) {
    SimNetwork::Endpoint* endpoint = network_.find(socket);
    return endpoint ? endpoint->remote : SocketAddress{};
}

Result<> SimReactor::watch(SocketHandle socket, std::uint64_t token, bool) {
    MustAllocate kernel;
    SimNetwork::Endpoint* endpoint = network_.find(socket);
    if (!endpoint) return Error(ErrorKind::io, "bad_socket");
    if (!endpoint->listener) endpoint->watchers.clear();
    endpoint->watchers.emplace_back(this, token);
    Readiness ready{!endpoint->inbox.empty() || !endpoint->backlog.empty() || endpoint->peer_closed,
                    endpoint->connected, endpoint->failed};
    if (ready.readable || ready.writable || ready.hangup) report(token, ready);
    return {};
}

void SimReactor::unwatch(SocketHandle socket) {
    SimNetwork::Endpoint* endpoint = network_.find(socket);
    if (!endpoint) return;
    std::erase_if(endpoint->watchers,
                  [this](const auto& watcher) { return watcher.first == this; });
}

std::size_t SimReactor::poll(Instant, std::span<Event> events) {
    std::size_t count = std::min(events.size(), pending_.size());
    std::copy_n(pending_.begin(), count, events.begin());
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
}

}  // namespace bennu
