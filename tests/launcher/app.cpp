// A web server with ways to crash and to hang, under a launcher whose limits are small. Several
// programs are built from this file: VERSION is what it answers, FLAW what is wrong with it.
// Usage: launcher_app PORT CRASH_FOLDER
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "bennu/runtime/launcher/launcher.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/health.hpp"

using namespace bennu;
using namespace std::chrono_literals;

namespace {

[[gnu::noinline]] Task<int> read_the_wrong_address() {
    co_await bennu::sleep(1ms);
    *static_cast<volatile int*>(nullptr) = 1;
    co_return 1;
}

Task<Response> crash(Conn conn) {
    const int value = co_await read_the_wrong_address();
    co_return text(conn, 200, std::to_string(value));
}

[[gnu::noinline]] void wait_for_what_never_comes() {
    int pipe[2];
    if (::pipe(pipe) != 0) std::abort();
    char byte = 0;
    while (::read(pipe[0], &byte, 1) != 1) {}
}

Response hang(Conn conn) {
    wait_for_what_never_comes();
    return text(conn, 200, "never");
}

Task<Response> slow(Conn conn) {
    co_await bennu::sleep(300ms);
    co_return text(conn, 200, "slow");
}

std::shared_ptr<Router> routes(std::shared_ptr<const ReadyFlag> ready) {
    auto router = std::make_shared<Router>();
    health_routes(*router, std::move(ready));
    router->get("/node", [](Conn conn) {
        return text(conn, 200, std::to_string(::getpid()) + " " + std::to_string(VERSION));
    });
    router->get("/slow", slow);
    router->get("/crash/:how", crash);
    router->get("/hang", hang);
    return router;
}

Task<Result<>> serve(int listener) {
    auto ready = std::make_shared<ReadyFlag>();
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint({.inherited_listener = listener}, routes(ready)));
    auto tree = co_await require(supervise({.strategy = one_for_one}, std::move(children)));
    ready->set(true);
    notify_ready();
    if (FLAW == 2) spawn_task([]() -> Task<> { co_await read_the_wrong_address(); });
    co_await stop_requested();
    ready->set(false);
    // As long as a load balancer takes to notice, unless another node serves already.
    if (!replaced()) co_await bennu::sleep(400ms);
    co_await stop_and_wait(tree.pid(), 10s);
    co_return {};
}

int run_node(int listener) {
    if (FLAW == 1) return 78;
    // Threads by number: what the tests do must not depend on the machine's cores.
    return run({.shards = 2},
               [listener]() -> Task<Result<>> { co_return co_await serve(listener); });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || FLAW == 3) return 1;
    LaunchOptions options;
    options.name = "app";
    options.address.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    options.crash_folder = argv[2];
    options.hangs = {.warn_after = 250ms, .abort_after = 1s, .kill_after = 1500ms};
    options.restarts.first_delay = 10ms;
    options.quarantine.first = 20s;
    return launch(options,
                  [](NodeEnvironment environment) { return run_node(environment.listener); });
}
