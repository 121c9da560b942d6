#include "apps/assetronics/node.hpp"

#include <cstdio>

#include "apps/assetronics/lib/database/database.hpp"
#include "apps/assetronics/lib/demo/demo.hpp"
#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/lib/imports/imports.hpp"
#include "apps/assetronics/lib/ops/ops.hpp"
#include "apps/assetronics/web/web.hpp"
#include "bennu/base/log.hpp"
#include "bennu/runtime/launcher/launcher.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint_config.hpp"

namespace assetronics {

using namespace bennu;

namespace {

constexpr Duration stop_time = std::chrono::seconds(20);

/// The processes of the product, in the order in which they start. The endpoint is last, so that
/// requests find everything else running; pub/sub and presence live in every shard by themselves.
std::vector<ChildSpec> children(const NodeOptions& options, const Repo& repo,
                                std::shared_ptr<Router> router) {
    std::vector<ChildSpec> list;
    list.push_back(imports::child_imports(repo, options.data_dir + "/imports"));
    list.push_back(devices::child_devices(repo));
    list.push_back(ops::child_ops());
    for (ChildSpec& each : endpoint_children(options.endpoint, std::move(router))) {
        list.push_back(std::move(each));
    }
    return list;
}

void say_ready(const EndpointOptions& options, const SocketAddress& bound) {
    std::printf("Assetronics is ready at %s\n", address_for_people(options, bound).c_str());
    std::fflush(stdout);
}

Task<Result<>> serve(NodeOptions options) {
    Repo repo = co_await require(database::open(options.data_dir));
    co_await require(migrate(repo, database::migrations()));
    co_await require(demo::seed(repo, wall_now()));

    StaticFiles pages = co_await require(
        co_await offload([folder = options.static_dir] { return web::load_pages(folder); }));
    auto ready = std::make_shared<ReadyFlag>();
    const bool development = options.endpoint.environment == Environment::dev;
    auto router = web::make_router({.repo = repo,
                                    .ready = ready,
                                    .pages = std::move(pages),
                                    .ops = {.development = development, .token = options.ops_token},
                                    .trusted_proxies = options.endpoint.trusted_proxies,
                                    .hsts = options.endpoint.tls.hsts});

    auto tree = co_await require(
        supervise({.name = "assetronics"}, children(options, repo, std::move(router))));
    ready->set(true);
    notify_ready();
    say_ready(options.endpoint,
              co_await call(whereis<net::HttpServer>("endpoint"), net::HttpServer::Address{}));

    co_await stop_requested();
    ready->set(false);
    if (!replaced()) co_await bennu::sleep(options.drain_delay);
    co_await stop_and_wait(tree.pid(), stop_time);
    co_await repo.close();
    co_return Result<>();
}

}  // namespace

int run_node(const NodeOptions& options) {
    // Shorter than the launcher's patience, longer than the tree's.
    const RuntimeOptions runtime{.shutdown_grace =
                                     options.drain_delay + stop_time + std::chrono::seconds(2)};
    return run(runtime, [options] [[clang::coro_wrapper]] () { return serve(options); });
}

}  // namespace assetronics
