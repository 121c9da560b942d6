// The smallest server: one JSON route, one socket with one channel.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "bennu/channel/socket.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"

using namespace bennu;

namespace {

struct RoomChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }

    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "echo") co_return Reply::ok(std::move(payload));
        if (event == "shout") {
            broadcast("shout", std::move(payload));
            co_return Reply::none();
        }
        co_return unknown(event);
    }
};

std::shared_ptr<Router> routes() {
    auto router = std::make_shared<Router>();
    router->get("/json",
                [](Conn conn) { return json(conn, Json::object({{"message", "hello"}})); });
    mount_socket(*router, {.path = "/socket", .channels = {channel<RoomChannel>("room:*")}});
    return router;
}

Task<Result<>> serve(std::uint16_t port) {
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint({.port = port}, routes()));
    co_await require(supervise({.strategy = one_for_one}, std::move(children)));

    SocketAddress address =
        co_await call(whereis<net::HttpServer>("endpoint"), net::HttpServer::Address{});
    std::printf("hello is ready at http://%s\n", address.to_string().c_str());
    std::fflush(stdout);
    co_await stop_requested();
    co_return {};
}

}  // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 4000;
    std::string_view value = argc == 3 ? argv[2] : "";
    bool fits = argc == 3 && std::string_view(argv[1]) == "--port" &&
                std::from_chars(value.begin(), value.end(), port) ==
                    std::from_chars_result{value.end(), std::errc()};
    if (argc > 1 && !fits) {
        std::fprintf(stderr, "usage: example_hello [--port PORT]\n");
        return 2;
    }
    return run({}, [port]() -> Task<Result<>> { co_return co_await serve(port); });
}
