#include "bennu/runtime/reactor/sim_network.hpp"

#include <algorithm>

#include "bennu/runtime/reactor/sim_reactor.hpp"

namespace bennu {

namespace {

constexpr std::int64_t wall_start_ms = 1'767'225'600'000;  // 2026-01-01

}  // namespace

Timestamp SimNetwork::wall_now() const {
    return Timestamp{wall_start_ms + now_.ns / 1'000'000} + wall_offset_;
}

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

int SimNetwork::listener_at(std::uint16_t port) {
    for (std::size_t i = endpoints_.size(); i-- > 0;) {
        const Endpoint& endpoint = *endpoints_[i];
        if (endpoint.open && endpoint.listener && endpoint.local.port == port)
            return static_cast<int>(i);
    }
    return -1;
}

std::vector<std::uint16_t> SimNetwork::listening_ports() const {
    std::vector<std::uint16_t> ports;
    for (const auto& endpoint : endpoints_) {
        if (endpoint->open && endpoint->listener) ports.push_back(endpoint->local.port);
    }
    return ports;
}

void SimNetwork::notify(int handle, Readiness ready) {
    Endpoint* endpoint = find(handle);
    if (!endpoint) return;
    for (auto& [reactor, token] : endpoint->watchers) reactor->report(token, ready);
}

void SimNetwork::establish(int handle, Duration retry) {
    Endpoint* mine = find(handle);
    if (!mine || mine->failed) return;
    if (partitions_.contains(mine->remote.port)) {
        // As TCP does: it asks again after 1, 2, 4… seconds, and gives up after two minutes.
        if (retry > std::chrono::minutes(1)) return reset(handle);
        after(retry, [this, handle, retry] { establish(handle, 2 * retry); });
        return;
    }
    int listener = listener_at(mine->remote.port);
    if (listener < 0) return reset(handle);
    Endpoint theirs;
    theirs.local = mine->remote;
    theirs.remote = mine->local;
    theirs.peer = handle;
    theirs.connected = true;
    int accepted = open(std::move(theirs));
    mine->peer = accepted;
    mine->connected = true;
    notify(handle, {.writable = true});
    find(listener)->backlog.push_back(accepted);
    notify(listener, {.readable = true});
}

Instant SimNetwork::arrival(Endpoint& to, Duration delay) {
    auto spread = (options_.max_latency - options_.min_latency).count();
    Duration latency = options_.min_latency + delay;
    if (spread > 0) {
        auto part = random_.below(static_cast<std::uint64_t>(spread));
        latency += Duration(static_cast<std::int64_t>(part));
    }
    // Bytes of one direction of a connection keep their order.
    to.last_arrival = std::max(to.last_arrival, now_ + latency);
    return to.last_arrival;
}

void SimNetwork::send(int from, std::string_view bytes) {
    Endpoint& mine = *find(from);
    Endpoint& peer = *find(mine.peer);
    Duration delay{};
    if (auto fault = faults_.step(FaultStep::write, since_start())) {
        if (fault->kind == FaultKind::reset) {
            faults_.struck(std::move(*fault), name_of(mine));
            return reset(from);
        }
        if (fault->kind == FaultKind::loss) {
            peer.loses_all = true;
            after(fault->amount, [this, from] { reset(from); });
        } else {
            delay = fault->amount;
        }
        faults_.struck(std::move(*fault), name_of(mine));
    }
    if (peer.loses_all) return;
    // The network splits what is sent at arbitrary places.
    while (!bytes.empty()) {
        std::size_t piece = bytes.size();
        if (random_.chance(options_.partial)) piece = 1 + random_.below(piece);
        after(arrival(peer, delay) - now_,
              [this, to = mine.peer, text = std::string(bytes.substr(0, piece))] {
                  arrive(to, {text});
              });
        bytes.remove_prefix(piece);
    }
}

void SimNetwork::send_close(int from) {
    Endpoint* mine = find(from);
    Endpoint* peer = mine ? find(mine->peer) : nullptr;
    if (!peer || peer->loses_all) return;
    after(arrival(*peer) - now_, [this, to = mine->peer] { arrive(to, {.close = true}); });
}

bool SimNetwork::cut_towards(const Endpoint& endpoint) const {
    auto in = partitions_.find(endpoint.local.port);
    if (in != partitions_.end() && in->second != Cut::outbound) return true;
    auto out = partitions_.find(endpoint.remote.port);
    return out != partitions_.end() && out->second != Cut::inbound;
}

void SimNetwork::arrive(int to, Arrival arrival) {
    Endpoint* endpoint = find(to);
    if (!endpoint || endpoint->failed) return;
    if (cut_towards(*endpoint)) {
        // As TCP would: it arrives once the partition heals, still in order.
        endpoint->held.push_back(std::move(arrival));
    } else {
        take(to, std::move(arrival));
    }
}

void SimNetwork::take(int to, Arrival arrival) {
    Endpoint& endpoint = *find(to);
    if (arrival.close) {
        endpoint.peer_closed = true;
        notify(to, {.readable = true, .hangup = true});
    } else {
        endpoint.inbox.append(arrival.bytes);
        notify(to, {.readable = true});
    }
}

void SimNetwork::reset(int handle) {
    Endpoint* endpoint = find(handle);
    if (!endpoint || endpoint->failed) return;
    int peer = endpoint->peer;
    for (int side : {handle, peer}) {
        if (Endpoint* end = find(side)) {
            end->failed = true;
            end->held.clear();
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

void SimNetwork::partition(std::uint16_t port, Cut cut) {
    heal(port);
    partitions_[port] = cut;
}

void SimNetwork::heal(std::uint16_t port) {
    if (partitions_.erase(port) == 0) return;
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
        Endpoint& endpoint = *endpoints_[i];
        if (!endpoint.open || endpoint.held.empty() || cut_towards(endpoint)) continue;
        while (!endpoint.held.empty()) {
            Arrival arrival = std::move(endpoint.held.front());
            endpoint.held.pop_front();
            take(static_cast<int>(i), std::move(arrival));
        }
    }
}

std::string SimNetwork::name_of(const Endpoint& endpoint) const {
    return endpoint.local.to_string() + " to " + endpoint.remote.to_string();
}

}  // namespace bennu
