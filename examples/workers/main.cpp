// More sockets than one process may open: N worker processes on one port, with a hub between them.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "bennu/channel/socket.hpp"
#include "bennu/pubsub/hub/hub_adapter.hpp"
#include "bennu/pubsub/hub/hub_relay.hpp"
#include "bennu/runtime/launcher/launcher.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"

using namespace bennu;

namespace {

/// What it says reaches the sockets of all workers.
struct RoomChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "sign_out") pubsub::broadcast(Topic(socket_id()), "disconnect");
        if (event == "shout") broadcast("shout", std::move(payload));
        if (event == "sign_out" || event == "shout") co_return Reply::none();
        co_return unknown(event);
    }
};

/// Who is there, on whichever worker.
struct PeopleChannel : Channel {
    Task<Join> join(Topic, Json params) override {
        name_ = params.get<std::string>("name").value_or("somebody");
        co_return Join::ok();
    }
    Task<> after_join() override {
        track(name_);
        push_presence_state();
        co_return;
    }
    std::string name_;
};

/// All sockets of a user have one id; those of nobody in particular have none.
Task<Result<Connected>> connect(ConnectRequest request) {
    const auto user = request.params.get<std::string>("user");
    co_return Connected{.id = user ? "users:" + *user : std::string()};
}

Task<Result<>> serve(NodeEnvironment node) {
    auto router = std::make_shared<Router>();
    mount_socket(
        *router,
        {.path = "/socket",
         .channels = {channel<RoomChannel>("room:*"), channel<PeopleChannel>("people:*"),
                      // What was said while a client was away, on whichever worker.
                      channel<RoomChannel>("feed:*", {.durable = pubsub::DurableOptions()})},
         .connect = &connect,
         .limits = {.idle_timeout = std::chrono::minutes(15)}});
    std::vector<ChildSpec> children;
    children.push_back(pubsub::child_hub(node.hub));
    // All workers open the tokens of long polling, so that a poll may land on any of them.
    children.push_back(child_endpoint({.secret = Secret("an example has no secret to keep, really"),
                                       .inherited_listener = node.listener,
                                       .workers = node.workers},
                                      std::move(router)));
    auto tree = co_await require(supervise({}, std::move(children)));
    notify_ready();
    std::printf("worker %u of %u serves\n", node.worker + 1, node.workers);
    std::fflush(stdout);
    co_await stop_requested();
    co_await stop_and_wait(tree.pid(), std::chrono::seconds(20));
    co_return {};
}

bool read(std::string_view text, auto& number) {
    return std::from_chars(text.begin(), text.end(), number) ==
           std::from_chars_result{text.end(), std::errc()};
}

}  // namespace

int main(int argc, char** argv) {
    LaunchOptions options{.name = "workers", .workers = 2, .hub = &pubsub::run_hub};
    options.address.port = 4000;
    for (int i = 1; i < argc; i += 2) {
        std::string_view name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
        bool fits = (name == "--port" && read(value, options.address.port)) ||
                    (name == "--workers" && read(value, options.workers));
        if (!fits) {
            std::fprintf(stderr, "usage: example_workers [--port PORT] [--workers N]\n");
            return 2;
        }
    }
    return launch(options, [](NodeEnvironment node) {
        // One shard each: together they are more than the machine has cores.
        return run({.shards = node.workers > 1 ? 1U : 0U},
                   [node]() -> Task<Result<>> { co_return co_await serve(node); });
    });
}
