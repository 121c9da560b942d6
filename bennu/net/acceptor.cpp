#include "bennu/net/acceptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "bennu/base/log.hpp"
#include "bennu/runtime/supervisor/start_on.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

/// Accepted at one readiness, before other work gets its turn.
constexpr int accepts_per_turn = 128;

}  // namespace

Acceptor::Acceptor(SocketHandle listener, std::shared_ptr<const HttpServing> serving)
    : listener_(listener),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      serving_(std::move(serving)),
      table_(listener_connection_table(reactor().local_address(listener).to_string())) {}

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
    for (int i = 0; i < accepts_per_turn && listener_ >= 0; ++i) {
        SocketHandle socket = -1;
        IoResult accepted = reactor().accept(listener_, socket);
        if (accepted.kind == IoResult::Kind::would_block) return;
        if (accepted.kind != IoResult::Kind::done) {
            if (accepted.error == EMFILE || accepted.error == ENFILE) out_of_descriptors();
            return;
        }
        if (table_->size() >= serving_->options.max_connections / shard_count()) {
            static constexpr std::string_view busy =
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\n"
                "connection: close\r\n\r\n";
            reactor().write(socket, busy);
            reactor().close(socket);
            continue;
        }
        cast(spawn<HttpConnection>(socket, serving_, table_), HttpConnection::Begin{});
    }
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
    reactor().close(std::exchange(listener_, -1));
    table_->draining = true;
    for (Pid connection : table_->connections()) stop(connection);
    Instant deadline = now() + 15s;
    while (table_->size() > 0 && now() < deadline) {
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
