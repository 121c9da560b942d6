#include "bennu/net/acceptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/supervisor/start_on.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

/// Accepted at one readiness, before other work gets its turn.
constexpr int accepts_per_turn = 128;
constexpr Duration longest_drain = 15s;

constinit EventName connection_refused{"net.connection.refused"};

}  // namespace

Acceptor::Acceptor(SocketHandle listener, std::shared_ptr<const HttpServing> serving)
    : listener_(listener),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      serving_(std::move(serving)),
      table_(listener_connection_table(reactor().local_address(listener).to_string())) {
    table_->keep(serving_);
    if (!table_->addresses) table_->addresses = serving_->addresses;
}

Acceptor::~Acceptor() {
    if (listener_ >= 0) reactor().close(listener_);
    if (spare_ >= 0) ::close(spare_);
}

Task<Result<>> Acceptor::init() {
    send_after(Ref<Acceptor>(self()), Sweep{}, 1s);
    co_return watch_io(listener_, 0, true);
}

void Acceptor::handle(Sweep) {
    table_->sweep(now());
    send_after(Ref<Acceptor>(self()), Sweep{}, 1s);
}

void Acceptor::handle_io(std::uint8_t, Readiness) {
    if (listener_ >= 0) accept(accepts_per_turn);
}

bool Acceptor::accept(int most) {
    for (int i = 0; i < most; ++i) {
        SocketHandle socket = -1;
        IoResult accepted = reactor().accept(listener_, socket);
        if (accepted.kind == IoResult::Kind::would_block) return false;
        if (accepted.kind != IoResult::Kind::done) {
            if (accepted.error == EMFILE || accepted.error == ENFILE) out_of_descriptors();
            return false;
        }
        if (table_->size() >= serving_->options.max_connections / shard_count()) {
            static constexpr std::string_view busy =
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\n"
                "connection: close\r\n\r\n";
            if (!serving_->tls) reactor().write(socket, busy);
            reactor().close(socket);
            continue;
        }
        AddressCounts::Entry counted;
        if (serving_->options.per_ip > 0 && !serving_->options.proxy_protocol) {
            counted = table_->addresses->enter(reactor().peer_address(socket).host);
        }
        if (!counted.admitted) {
            emit(connection_refused, {{"limit", serving_->options.per_ip}}, {{"why", "per_ip"}});
            reactor().close(socket);
            continue;
        }
        if (serving_->tls && !serving_->options.proxy_protocol &&
            table_->handshakes >= serving_->options.tls->max_handshakes) {
            emit(connection_refused, {{"limit", serving_->options.tls->max_handshakes}},
                 {{"why", "handshakes"}});
            table_->addresses->leave(counted.slot);
            reactor().close(socket);
            continue;
        }
        cast(spawn<HttpConnection>(socket, *serving_, table_, counted.slot),
             HttpConnection::Begin{});
    }
    return true;
}

void Acceptor::stop_listening() {
    // Others poll the same kernel socket: the next node, when this one is replaced. Whom the kernel
    // announced here and nowhere else is taken along.
    reactor().unwatch(listener_);
    while (accept(accepts_per_turn)) {}
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
    stop_listening();
    table_->draining = true;
    for (Pid connection : table_->connections()) {
        auto* http = local_body(Ref<HttpConnection>(connection));
        http ? http->wind_up() : stop(connection);
    }
    const Instant began = now();
    while (table_->size() > 0 && now() - began < longest_drain) {
        // Requests in progress end their connections themselves.
        for (Pid connection : table_->connections()) {
            auto* http = local_body(Ref<HttpConnection>(connection));
            if (http && http->silent_for(now() - began)) stop(connection);
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
