// A web server with ways to crash and to hang, under a launcher whose limits are small. Several
// programs are built from this file: VERSION is what it answers, FLAW what is wrong with it.
// Usage: [WORKERS=N] launcher_app PORT CRASH_FOLDER
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "bennu/pubsub/hub/hub_adapter.hpp"
#include "bennu/pubsub/hub/hub_relay.hpp"
#include "bennu/pubsub/presence.hpp"
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

std::atomic<int> waiting = 0;

/// Answers after everybody has lost patience; `/waiting` says how many are in here.
Task<Response> wait(Conn conn) {
    ++waiting;
    co_await bennu::sleep(60s);
    co_return text(conn, 200, "waited");
}

/// Remembers what was said on any worker.
struct Memory : Server {
    struct Heard {
        using Reply = std::string;
    };
    Task<Result<>> init() {
        said = pubsub::subscribe(Ref<Memory>(self()), "said");
        co_return {};
    }
    void handle(Broadcast message) { text += std::string(message.event()) + " "; }
    std::string handle(Heard) { return text; }
    std::string text;
    pubsub::Subscription said;
};

Task<Response> heard(Conn conn) {
    co_return text(conn, 200,
                   std::to_string(::getpid()) + " " +
                       co_await call(whereis<Memory>("memory"), Memory::Heard{}));
}

/// Somebody who is present as long as this node lives.
struct Person : Server {
    explicit Person(std::string name) : present(presence::track("lobby", std::move(name))) {}
    presence::Tracked present;
};

Response enter(Conn conn) {
    spawn<Person>(std::string(conn.param("name")));
    return text(conn, 200, std::to_string(::getpid()));
}

Task<Response> present(Conn conn) {
    std::string answer = std::to_string(::getpid()) + " ";
    const Json people = co_await presence::list("lobby");
    for (const JsonMember& person : people.as_object()) answer += person.key + " ";
    co_return text(conn, 200, answer);
}

std::shared_ptr<Router> routes(std::shared_ptr<const ReadyFlag> ready) {
    auto router = std::make_shared<Router>();
    health_routes(*router, std::move(ready));
    router->get("/node", [](Conn conn) {
        return text(conn, 200, std::to_string(::getpid()) + " " + std::to_string(VERSION));
    });
    router->get("/slow", slow);
    router->get("/wait", wait);
    router->get("/waiting",
                [](Conn conn) { return text(conn, 200, std::to_string(waiting.load())); });
    router->get("/say/:word", [](Conn conn) {
        pubsub::broadcast("said", conn.param("word"));
        return text(conn, 200, std::to_string(::getpid()));
    });
    router->get("/heard", heard);
    router->get("/enter/:name", enter);
    router->get("/present", present);
    router->get("/crash/:how", crash);
    router->get("/hang", hang);
    return router;
}

Task<Result<>> serve(NodeEnvironment environment) {
    auto ready = std::make_shared<ReadyFlag>();
    std::vector<ChildSpec> children;
    children.push_back(pubsub::child_hub(environment.hub));
    children.push_back(child<Memory>({.name = "memory"}));
    children.push_back(child_endpoint({.inherited_listener = environment.listener}, routes(ready)));
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

int run_node(NodeEnvironment environment) {
    if (FLAW == 1) return 78;
    // Threads by number: what the tests do must not depend on the machine's cores.
    return run({.shards = 2},
               [environment]() -> Task<Result<>> { co_return co_await serve(environment); });
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
    if (const char* workers = std::getenv("WORKERS"))
        options.workers = static_cast<unsigned>(std::atoi(workers));
    options.hub = &pubsub::run_hub;
    return launch(options, &run_node);
}
