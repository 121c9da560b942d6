#include "bennu/runtime/reactor/sim_network.hpp"

#include <algorithm>
#include <cerrno>

namespace bennu {

namespace {
constexpr std::size_t socket_buffer = 64 * 1024;
}

class SimReactor final : public Reactor {
  public:
    explicit SimReactor(SimNetwork& network) : network_(network) {}

    Instant now() override { return network_.now(); }
    Timestamp wall_now() override { return network_.wall_now(); }

    Result<SocketHandle> listen(const SocketAddress& address, ListenOptions) override {
        SimNetwork::Endpoint endpoint;
        endpoint.listener = true;
        endpoint.local = address;
        if (endpoint.local.port == 0) endpoint.local.port = network_.next_port_++;
        for (const auto& other : network_.endpoints_) {
            if (other->open && other->listener && other->local.port == endpoint.local.port) {
                return Error(ErrorKind::conflict, "address_in_use", endpoint.local.to_string());
            }
        }
        endpoint.owner = this;
        return network_.open(std::move(endpoint));
    }

    Result<SocketHandle> adopt_listener(int inherited) override { return inherited; }

    Result<SocketHandle> connect(const SocketAddress& address) override {
        SimNetwork::Endpoint mine;
        mine.local = {"127.0.0.1", network_.next_port_++};
        mine.remote = address;
        mine.owner = this;
        int handle = network_.open(std::move(mine));
        network_.after(network_.faults_.min_latency,
                       [this, handle, address] { establish(handle, address); });
        return handle;
    }

    IoResult accept(SocketHandle listener, SocketHandle& accepted) override {
        accepted = -1;
        SimNetwork::Endpoint* endpoint = network_.find(listener);
        if (!endpoint) return {IoResult::Kind::failed, 0, EBADF};
        if (endpoint->backlog.empty()) return {IoResult::Kind::would_block, 0, 0};
        accepted = endpoint->backlog.front();
        endpoint->backlog.pop_front();
        if (SimNetwork::Endpoint* socket = network_.find(accepted)) socket->owner = this;
        return {};
    }

    IoResult read(SocketHandle socket, std::span<char> into) override {
        SimNetwork::Endpoint* endpoint = network_.find(socket);
        if (!endpoint) return {IoResult::Kind::failed, 0, EBADF};
        if (endpoint->failed) return {IoResult::Kind::closed, 0, ECONNRESET};
        if (endpoint->inbox.empty()) {
            return {endpoint->peer_closed ? IoResult::Kind::closed : IoResult::Kind::would_block, 0,
                    0};
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

    IoResult write(SocketHandle socket, std::span<const char> bytes) override {
        SimNetwork::Endpoint* endpoint = network_.find(socket);
        if (!endpoint) return {IoResult::Kind::failed, 0, EBADF};
        if (endpoint->failed) return {IoResult::Kind::closed, 0, EPIPE};
        if (!endpoint->connected) return {IoResult::Kind::would_block, 0, 0};
        SimNetwork::Endpoint* peer = network_.find(endpoint->peer);
        if (!peer) return {IoResult::Kind::closed, 0, EPIPE};
        if (network_.faults_.reset > 0 && network_.random_.chance(network_.faults_.reset)) {
            network_.reset(socket);
            return {IoResult::Kind::closed, 0, ECONNRESET};
        }
        std::size_t room = socket_buffer - std::min(socket_buffer, endpoint->in_flight);
        std::size_t count = std::min(bytes.size(), room);
        if (count == 0) return {IoResult::Kind::would_block, 0, 0};
        endpoint->in_flight += count;
        std::string_view rest(bytes.data(), count);
        // The network splits what is sent at arbitrary places.
        while (!rest.empty()) {
            std::size_t piece = rest.size();
            if (network_.random_.chance(network_.faults_.partial))
                piece = 1 + network_.random_.below(piece);
            int to = endpoint->peer;
            SimNetwork& network = network_;
            network_.after(network_.arrival(*peer) - network_.now(),
                           [&network, to, text = std::string(rest.substr(0, piece))] {
                               network.deliver(to, text);
                           });
            rest.remove_prefix(piece);
        }
        return {IoResult::Kind::done, count, 0};
    }

    void shutdown_write(SocketHandle socket) override { send_close(socket); }

    void close(SocketHandle socket) override {
        SimNetwork::Endpoint* endpoint = network_.find(socket);
        if (!endpoint) return;
        if (endpoint->connected) send_close(socket);
        endpoint->open = false;
        endpoint->watchers.clear();
    }

    SocketAddress local_address(SocketHandle socket) override {
        SimNetwork::Endpoint* endpoint = network_.find(socket);
        return endpoint ? endpoint->local : SocketAddress{};
    }
    SocketAddress peer_address(SocketHandle socket) override {
        SimNetwork::Endpoint* endpoint = network_.find(socket);
        return endpoint ? endpoint->remote : SocketAddress{};
    }

    void unwatch(SocketHandle socket) override {
        SimNetwork::Endpoint* endpoint = network_.find(socket);
        if (!endpoint) return;
        std::erase_if(endpoint->watchers,
                      [this](const auto& watcher) { return watcher.first == this; });
    }

    Result<> watch(SocketHandle socket, std::uint64_t token, bool) override {
        SimNetwork::Endpoint* endpoint = network_.find(socket);
        if (!endpoint) return Error(ErrorKind::io, "bad_socket");
        if (!endpoint->listener) endpoint->watchers.clear();
        endpoint->watchers.emplace_back(this, token);
        Readiness ready{
            !endpoint->inbox.empty() || !endpoint->backlog.empty() || endpoint->peer_closed,
            endpoint->connected, endpoint->failed};
        if (ready.readable || ready.writable || ready.hangup) pending_.push_back({token, ready});
        return {};
    }

    std::size_t poll(Instant, std::span<Event> events) override {
        std::size_t count = std::min(events.size(), pending_.size());
        std::copy_n(pending_.begin(), count, events.begin());
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
        return count;
    }

    void wake() override {}
    void report(std::uint64_t token, Readiness ready) { pending_.push_back({token, ready}); }

  private:
    void establish(int handle, const SocketAddress& address) {
        SimNetwork::Endpoint* mine = network_.find(handle);
        if (!mine) return;
        int listener = -1;
        for (std::size_t i = 0; i < network_.endpoints_.size(); ++i) {
            const auto& other = network_.endpoints_[i];
            if (other->open && other->listener && other->local.port == address.port) {
                listener = static_cast<int>(i);
            }
        }
        if (listener < 0 || network_.cut(*mine)) {
            network_.reset(handle);
            return;
        }
        SimNetwork::Endpoint theirs;
        theirs.local = address;
        theirs.remote = mine->local;
        theirs.peer = handle;
        theirs.connected = true;
        int accepted = network_.open(std::move(theirs));
        mine = network_.find(handle);
        mine->peer = accepted;
        mine->connected = true;
        network_.notify(handle, {.writable = true});
        SimNetwork::Endpoint* listening = network_.find(listener);
        listening->backlog.push_back(accepted);
        network_.notify(listener, {.readable = true});
    }

    void send_close(int handle) {
        SimNetwork::Endpoint* endpoint = network_.find(handle);
        SimNetwork::Endpoint* peer = endpoint ? network_.find(endpoint->peer) : nullptr;
        if (!peer) return;
        int to = endpoint->peer;
        SimNetwork& network = network_;
        network_.after(network_.arrival(*peer) - network_.now(),
                       [&network, to] { network.deliver_close(to); });
    }

    SimNetwork& network_;
    std::vector<Event> pending_;
};

std::unique_ptr<Reactor> SimNetwork::make_reactor() {
    return std::make_unique<SimReactor>(*this);
}

void SimNetwork::after(Duration delay, std::function<void()> event) {
    events_.emplace(std::pair(now_ + std::max(delay, Duration::zero()), order_++),
                    std::move(event));
}

Instant SimNetwork::next_event() const {
    return events_.empty() ? Instant::max() : events_.begin()->first.first;
}

void SimNetwork::advance(Instant at) {
    now_ = std::max(now_, at);
    while (!events_.empty() && events_.begin()->first.first <= now_) {
        auto node = events_.extract(events_.begin());
        note(static_cast<std::uint64_t>(node.key().first.ns) ^ node.key().second);
        node.mapped()();
    }
}

int SimNetwork::open(Endpoint endpoint) {
    endpoints_.push_back(std::make_unique<Endpoint>(std::move(endpoint)));
    return static_cast<int>(endpoints_.size() - 1);
}

SimNetwork::Endpoint* SimNetwork::find(int handle) {
    if (handle < 0 || static_cast<std::size_t>(handle) >= endpoints_.size()) return nullptr;
    Endpoint* endpoint = endpoints_[static_cast<std::size_t>(handle)].get();
    return endpoint->open ? endpoint : nullptr;
}

void SimNetwork::notify(int handle, Readiness ready) {
    Endpoint* endpoint = find(handle);
    if (!endpoint) return;
    for (auto& [reactor, token] : endpoint->watchers) reactor->report(token, ready);
}

Instant SimNetwork::arrival(Endpoint& to) {
    auto spread = (faults_.max_latency - faults_.min_latency).count();
    Duration latency =
        faults_.min_latency +
        Duration(spread > 0
                     ? static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(spread)))
                     : 0);
    // Bytes of one direction of a connection keep their order.
    to.last_arrival = std::max(to.last_arrival, now_ + latency);
    return to.last_arrival;
}

bool SimNetwork::cut(const Endpoint& endpoint) const {
    auto is_cut = [&](std::uint16_t port) {
        return std::find(partitioned_.begin(), partitioned_.end(), port) != partitioned_.end();
    };
    return is_cut(endpoint.local.port) || is_cut(endpoint.remote.port);
}

void SimNetwork::deliver(int to, std::string bytes) {
    Endpoint* endpoint = find(to);
    if (!endpoint || endpoint->failed) return;
    if (cut(*endpoint)) {
        // As TCP would: it arrives once the partition heals.
        after(std::chrono::milliseconds(50),
              [this, to, bytes = std::move(bytes)] { deliver(to, bytes); });
        return;
    }
    endpoint->inbox.append(bytes);
    notify(to, {.readable = true});
}

void SimNetwork::deliver_close(int to) {
    Endpoint* endpoint = find(to);
    if (!endpoint) return;
    endpoint->peer_closed = true;
    notify(to, {.readable = true, .hangup = true});
}

void SimNetwork::reset(int handle) {
    Endpoint* endpoint = find(handle);
    if (!endpoint) return;
    int peer = endpoint->peer;
    for (int side : {handle, peer}) {
        if (Endpoint* end = find(side)) {
            end->failed = true;
            notify(side, {.readable = true, .writable = true, .hangup = true});
        }
    }
}

void SimNetwork::reset_connections(std::uint16_t port) {
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
        Endpoint& endpoint = *endpoints_[i];
        if (endpoint.open && !endpoint.listener &&
            (endpoint.local.port == port || endpoint.remote.port == port)) {
            reset(static_cast<int>(i));
        }
    }
}

void SimNetwork::partition(std::uint16_t port, bool is_cut) {
    std::erase(partitioned_, port);
    if (is_cut) partitioned_.push_back(port);
}

}  // namespace bennu
