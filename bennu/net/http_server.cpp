#include "bennu/net/http_server.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "bennu/base/log.hpp"
#include "bennu/net/acceptor.hpp"
#include "bennu/net/memory_use.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

std::size_t default_max_connections() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    // Descriptors for files, databases and listeners stay free.
    return limit.rlim_cur > 1200 ? limit.rlim_cur - 200 : 1000;
}

}  // namespace

HttpServer::HttpServer(HttpServerOptions options, std::shared_ptr<const HttpHandler> handler)
    : options_(std::move(options)), handler_(std::move(handler)) {}

Task<Result<>> HttpServer::init() {
    if (options_.max_connections == 0) options_.max_connections = default_max_connections();
    if (options_.admission.memory == 0) {
        options_.admission.memory = co_await offload(&control_group_memory) / 10 * 9;
    }
    if (options_.tls) {
        if (options_.http2.streams == 0) std::erase(options_.tls->protocols, "h2");
        auto context = co_await offload([tls = *options_.tls] { return TlsContext::server(tls); });
        if (!context) co_return std::move(context).error();
        tls_ = *std::move(context);
    }
    Result<SocketHandle> listener =
        options_.inherited_listener >= 0
            ? reactor().adopt_listener(options_.inherited_listener)
            : reactor().listen(options_.address, {.reuse_port = options_.reuse_port,
                                                  .unix_mode = options_.unix_mode});
    if (!listener) co_return std::move(listener).error();
    bound_ = reactor().local_address(*listener);
    auto serving = std::make_shared<const HttpServing>(
        HttpServing{options_, handler_, tls_,
                    std::make_shared<AddressCounts>(options_.per_ip, options_.per_ip_loopback),
                    std::make_shared<ConnectionCounts>(options_.max_connections, shard_count())});
    for (unsigned i = 0; i < shard_count(); ++i) {
        auto shard = static_cast<std::uint8_t>(i);
        // Every shard polls a descriptor of its own for the one kernel socket.
        Result<SocketHandle> mine =
            shard == shard_index() ? listener : reactor().adopt_listener(*listener);
        if (!mine) co_return std::move(mine).error();
        Result<Pid> acceptor = co_await start_acceptor(shard, *mine, serving);
        if (!acceptor) {
            for (Pid started : acceptors_) kill(started, "the server did not start");
            co_return std::move(acceptor).error();
        }
        acceptors_.push_back(*acceptor);
        monitor(*acceptor);
    }
    for (Pid acceptor : acceptors_) cast(Ref<Acceptor>(acceptor), Acceptor::Peers{acceptors_});
    co_return Result<>();
}

Task<Result<>> HttpServer::handle(ReloadCertificates message) {
    if (!tls_) co_return Error(ErrorKind::unsupported, "no_tls", "this listener is not encrypted");
    co_return co_await offload([tls = tls_, certificates = std::move(message.certificates)] {
        return tls->reload(certificates);
    });
}

void HttpServer::handle(Down down) {
    // Without an acceptor a shard would go deaf: the supervisor starts the whole server anew.
    throw std::runtime_error("an acceptor ended: " + down.reason.describe());
}

Task<std::size_t> HttpServer::handle(Connections) {
    std::size_t total = 0;
    for (Pid acceptor : acceptors_) {
        total += co_await call(Ref<Acceptor>(acceptor), Acceptor::Count{});
    }
    co_return total;
}

Task<> HttpServer::terminate(ExitReason) {
    for (Pid acceptor : acceptors_) stop(acceptor);
    for (Pid acceptor : acceptors_) co_await stop_and_wait(acceptor, 20s);
    // A socket file that nobody listens on would only mislead.
    if (options_.address.is_unix() && options_.inherited_listener < 0 && !acceptors_.empty()) {
        ::unlink(options_.address.unix_path().c_str());
    }
}

}  // namespace bennu::net
