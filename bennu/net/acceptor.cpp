#include "bennu/net/acceptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/net/drain.hpp"
#include "bennu/net/drain_watch.hpp"
#include "bennu/net/http2_connection.hpp"
#include "bennu/net/memory_use.hpp"
#include "bennu/runtime/ready_queue.hpp"
#include "bennu/runtime/supervisor/start_on.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

/// Accepted at one readiness, before other work gets its turn: all that may wait in the kernel's
/// queue. What stays there becomes ready anew, and how long it has waited nobody knows then.
constexpr int accepts_per_turn = ListenOptions{}.backlog;
/// But other work does not wait longer for that.
constexpr Duration longest_accepting = 5ms;
constexpr Duration longest_drain = 15s;
/// Between two looks whether there is room again.
constexpr Duration rest_interval = 20ms;

constinit EventName connection_refused{"net.connection.refused"};
constinit EventName socket_drain{"net.socket_drain"};

}  // namespace

/// A connection that has its place on a shard and is on its way there.
class Acceptor::Accepted {
  public:
    Accepted(SocketHandle socket, std::shared_ptr<ConnectionCounts> counts, std::uint8_t shard,
             Instant since)
        : socket_(socket), counts_(std::move(counts)), since_(since), shard_(shard) {}
    Accepted(Accepted&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)),
          counts_(std::move(other.counts_)),
          since_(other.since_),
          shard_(other.shard_) {}
    Accepted& operator=(Accepted&&) = delete;
    ~Accepted() {
        if (socket_ >= 0 && on_shard()) reactor().close(socket_);
        if (counts_) counts_->leave(shard_);
    }

    std::uint8_t shard() const { return shard_; }
    SocketHandle socket() const { return socket_; }
    /// It has waited in the kernel's queue since then.
    Instant since() const { return since_; }
    /// Its connection has the socket from now on, and its place if that counts in `counts`.
    bool take_place(const ConnectionTable& table) {
        return table.counts() == counts_ && std::exchange(counts_, nullptr);
    }
    SocketHandle take_socket() { return std::exchange(socket_, -1); }

  private:
    SocketHandle socket_;
    std::shared_ptr<ConnectionCounts> counts_;
    Instant since_;
    std::uint8_t shard_;
};

Acceptor::Acceptor(SocketHandle listener, std::shared_ptr<const HttpServing> serving)
    : listener_(listener),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      serving_(std::move(serving)),
      table_(listener_connection_table(reactor().local_address(listener).to_string())) {
    table_->keep(serving_);
    if (!table_->addresses) table_->addresses = serving_->addresses;
    table_->count_in(serving_->counts);
    table_->admission.set_limits(serving_->options.admission);
}

Acceptor::~Acceptor() {
    if (listener_ >= 0) reactor().close(listener_);
    if (spare_ >= 0) ::close(spare_);
}

Task<Result<>> Acceptor::init() {
    send_after(Ref<Acceptor>(self()), Sweep{}, 1s);
    co_return Result<>();
}

void Acceptor::handle(Peers message) {
    peers_ = std::move(message.acceptors);
    if (Result<> watched = watch_io(listener_, 0, true); !watched) {
        throw std::runtime_error("cannot accept connections: " + watched.error().describe());
    }
}

void Acceptor::handle(Sweep) {
    table_->sweep(now());
    if (table_->admission.memory_limit() > 0) table_->admission.note_memory(memory_in_use());
    send_after(Ref<Acceptor>(self()), Sweep{}, 1s);
}

void Acceptor::rest() {
    if (!std::exchange(resting_, true)) {
        reactor().unwatch(listener_);
        send_after(Ref<Acceptor>(self()), Rested{}, rest_interval);
    }
}

void Acceptor::handle(Rested) {
    if (!serving_->counts->full()) resting_ = !watch_io(listener_, 0, true);
    if (resting_) send_after(Ref<Acceptor>(self()), Rested{}, rest_interval);
}

void Acceptor::handle_io(std::uint8_t, Readiness) {
    if (listener_ >= 0 && !resting_) accept(ready_since());
}

bool Acceptor::accept(Instant since) {
    const bool leave = serving_->options.when_full == HttpServerOptions::WhenFull::leave;
    ConnectionCounts& counts = *serving_->counts;
    const Instant until = reactor().now() + longest_accepting;
    for (int i = 0; i < accepts_per_turn && reactor().now() < until; ++i) {
        // Room first where nobody may be accepted without; where somebody is refused then, only
        // once there is somebody: what is held for nobody would be missing elsewhere.
        if (leave && !counts.enter()) {
            rest();
            return false;
        }
        SocketHandle socket = -1;
        IoResult accepted = reactor().accept(listener_, socket);
        if (accepted.kind != IoResult::Kind::done) {
            if (leave) counts.leave();
            if (accepted.error == EMFILE || accepted.error == ENFILE) out_of_descriptors();
            return false;
        }
        if (!leave && !counts.enter()) {
            refuse(socket);
            continue;
        }
        const std::uint8_t shard = counts.place(shard_index());
        Accepted arrived(socket, serving_->counts, shard, since);
        if (shard == shard_index()) {
            admit(std::move(arrived));
        } else {
            hand_over(std::move(arrived), peers_[shard]);
        }
    }
    return true;
}

void Acceptor::hand_over(Accepted accepted, Pid peer) {
    // Not by a message to the acceptor: one that is stopping handles none, and has to take those
    // along that were placed on it before.
    const std::uint8_t shard = accepted.shard();
    post(shard, [accepted = std::move(accepted), peer]() mutable {
        Acceptor* acceptor = local_body(Ref<Acceptor>(peer));
        if (!acceptor) return;
        try {
            acceptor->admit(std::move(accepted));
        } catch (const std::exception& failure) {
            kill(peer, failure.what());  // as when its own process accepts
        }
    });
}

void Acceptor::refuse(SocketHandle socket) {
    static constexpr std::string_view busy =
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\n"
        "connection: close\r\n\r\n";
    if (!serving_->tls) reactor().write(socket, busy);
    reactor().close(socket);
}

void Acceptor::admit(Accepted accepted) {
    AddressCounts::Entry counted;
    if (serving_->options.per_ip > 0 && !serving_->options.proxy_protocol) {
        counted = table_->addresses->enter(reactor().peer_address(accepted.socket()).host);
    }
    if (!counted.admitted) {
        emit(connection_refused, {{"limit", serving_->options.per_ip}}, {{"why", "per_ip"}});
        return;
    }
    if (serving_->tls && !serving_->options.proxy_protocol &&
        table_->handshakes >= serving_->options.tls->max_handshakes) {
        emit(connection_refused, {{"limit", serving_->options.tls->max_handshakes}},
             {{"why", "handshakes"}});
        table_->addresses->leave(counted.slot);
        return;
    }
    const ConnectionSeat seat{.address = counted.slot, .counted = accepted.take_place(*table_)};
    cast(spawn<HttpConnection>(accepted.take_socket(), *serving_, table_, seat),
         HttpConnection::Begin{accepted.since()});
}

void Acceptor::stop_listening() {
    // Others poll the same kernel socket: the next node, when this one is replaced. Whom the kernel
    // announced here and nowhere else is taken along.
    reactor().unwatch(listener_);
    while (!peers_.empty() && accept(now())) {}
    reactor().close(std::exchange(listener_, -1));
}

void Acceptor::out_of_descriptors() {
    log_error("out of file descriptors; turning connections away",
              {{"connections", table_->size()}});
    if (spare_ >= 0) ::close(spare_);
    SocketHandle socket = -1;
    if (reactor().accept(listener_, socket).kind == IoResult::Kind::done) reactor().close(socket);
    spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

Task<> Acceptor::terminate(ExitReason) {
    serving_->counts->close(shard_index());
    stop_listening();
    table_->draining = true;
    std::vector<Pid> sockets;
    for (Pid connection : table_->connections()) {
        if (auto* http = local_body(Ref<HttpConnection>(connection))) {
            http->wind_up();
        } else if (auto* http2 = local_body(Ref<Http2Connection>(connection))) {
            http2->wind_up();
        } else {
            sockets.push_back(connection);
        }
    }
    std::shuffle(sockets.begin(), sockets.end(), random());
    const DrainPace pace(serving_->options.drain, sockets.size(), shard_count());
    const Instant began = now();
    Instant next_batch = began;
    DrainWatch watch(began);
    // Some may still be on their way from other shards.
    while ((table_->size() > 0 || serving_->counts->on(shard_index()) > 0) &&
           now() - began < longest_drain) {
        if (!sockets.empty() && now() >= next_batch) {
            const std::size_t left = sockets.size() - std::min(sockets.size(), pace.batch());
            for (std::size_t i = left; i < sockets.size(); ++i) stop(sockets[i]);
            emit(socket_drain, {{"count", sockets.size() - left}, {"left", left}},
                 {{"shard", shard_index()}});
            sockets.resize(left);
            next_batch = now() + pace.pause(random());
        }
        const Duration waited = watch.look(now());
        // Requests in progress end their connections themselves.
        for (Pid connection : table_->connections()) {
            auto* http = local_body(Ref<HttpConnection>(connection));
            if (http && http->silent_for(waited)) {
                cast(Ref<HttpConnection>(connection), HttpConnection::EndSilence{waited});
            }
            auto* http2 = local_body(Ref<Http2Connection>(connection));
            if (http2) http2->settle(waited);
        }
        co_await sleep(20ms);
        table_->sweep(now());
    }
    for (Pid connection : table_->connections()) kill(connection, "did not finish in time");
}

Task<Result<Pid>> start_acceptor(std::uint8_t shard, SocketHandle listener,
                                 std::shared_ptr<const HttpServing> serving) {
    co_return co_await bennu::detail::start_on<Acceptor>(shard, {}, listener, std::move(serving));
}

}  // namespace bennu::net
