// A hall and its guests: who joins guest:N is in the presence of the hall as gN, who joins seat:N
// is there under a key that nobody else has, and who joins the hall sees them.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "bennu/channel/socket.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"

using namespace bennu;

namespace {

struct HallChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    Task<> after_join() override {
        push_presence_state();
        co_return;
    }
};

struct GuestChannel : Channel {
    Task<Join> join(Topic topic, Json) override {
        name_ = "g" + std::string(topic.after("guest:").value_or(""));
        co_return Join::ok();
    }
    Task<> after_join() override {
        present_ = presence::track("hall", name_);
        co_return;
    }

    std::string name_;
    presence::Tracked present_;
};

/// Many join one topic of these, each somebody else: a client with a presence entry of its own.
struct SeatChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    Task<> after_join() override {
        present_ = presence::track("hall", self().to_string());
        co_return;
    }

    presence::Tracked present_;
};

/// What keeps a socket open that holds guests.
struct DoorChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
};

Task<Result<>> serve(std::uint16_t port) {
    auto router = std::make_shared<Router>();
    mount_socket(*router,
                 {.path = "/socket",
                  .channels = {channel<HallChannel>("hall"), channel<GuestChannel>("guest:*"),
                               channel<SeatChannel>("seat:*"), channel<DoorChannel>("door:*")}});
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint({.port = port}, std::move(router)));
    co_await require(supervise({}, std::move(children)));
    co_await stop_requested();
    co_return {};
}

}  // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 0;
    std::string_view value = argc == 3 ? argv[2] : "";
    bool fits = argc == 3 && std::string_view(argv[1]) == "--port" &&
                std::from_chars(value.begin(), value.end(), port) ==
                    std::from_chars_result{value.end(), std::errc()};
    if (!fits) {
        std::fprintf(stderr, "usage: bench_channel_server --port PORT\n");
        return 2;
    }
    return run({}, [port]() -> Task<Result<>> { co_return co_await serve(port); });
}
