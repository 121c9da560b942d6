// A channel whose payloads are records, and the TypeScript that its clients are compiled against.
#include <charconv>
#include <cstdio>

#include "bennu/channel/socket.hpp"
#include "bennu/channel/typescript.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"

using namespace bennu;
namespace chat {

enum class Mood { cheerful, busy };
BENNU_ENUM(Mood, cheerful, busy)

struct RoomParams {
    std::string name;
    std::optional<Mood> mood;
};
BENNU_RECORD(RoomParams, name, mood)

struct Say {
    std::string text;
};
BENNU_RECORD(Say, text)

struct Said {
    std::string from;
    std::string text;
    Timestamp at;
};
BENNU_RECORD(Said, from, text, at)

struct Person {
    std::string name;
    Mood mood = Mood::cheerful;
};
BENNU_RECORD(Person, name, mood)

struct RoomChannel : Channel {
    static ChannelTypes types() {
        return ChannelTypes("RoomChannel")
            .joins<RoomParams, Person>()
            .on<&RoomChannel::say>("say")
            .on<&RoomChannel::busy>("busy")
            .sends<Said>("said")
            .tracks<Person>();
    }
    Task<Join> join(Topic, Json json) override {
        const auto params = *payload_as<RoomParams>(json);
        me_ = {.name = params.name, .mood = params.mood.value_or(Mood::cheerful)};
        co_return Join::ok(me_);
    }
    Task<> after_join() override {
        track(me_.name, me_);
        push_presence_state();
        co_return;
    }
    Result<Said> say(Say say) {
        Said said{me_.name, say.text, wall_now()};
        broadcast("said", said);
        return said;
    }
    void busy() {
        me_.mood = Mood::busy;
        track(me_.name, me_);
    }
    Person me_;
};

Task<Result<>> serve(std::uint16_t port) {
    auto router = std::make_shared<Router>();
    mount_socket(*router, {.path = "/socket", .channels = {channel<RoomChannel>("room:*")}});
    co_await require(supervise({}, endpoint_children({.port = port}, router)));
    std::printf("chat is ready at port %d\n", port);
    std::fflush(stdout);
    co_await stop_requested();
    co_return {};
}

}  // namespace chat

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "types") {
        const ChannelTypes channels[] = {chat::RoomChannel::types()};
        std::fputs(typescript("example_chat types", channels).c_str(), stdout);
        return 0;
    }
    std::uint16_t port = 4000;
    std::string_view value = argc == 3 ? argv[2] : "";
    bool fits = argc == 3 && std::string_view(argv[1]) == "--port" &&
                std::from_chars(value.begin(), value.end(), port) ==
                    std::from_chars_result{value.end(), std::errc()};
    if (argc > 1 && !fits) {
        std::fprintf(stderr, "usage: example_chat [--port PORT] | types\n");
        return 2;
    }
    return run({}, [port]() -> Task<Result<>> { co_return co_await chat::serve(port); });
}
