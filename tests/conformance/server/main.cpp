// What the suite drives beside examples/hello: a channel for every row of the protocol.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "bennu/channel/socket.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/endpoint.hpp"

using namespace bennu;
using namespace std::chrono_literals;

namespace conformance {

struct Greeting {
    std::string name;
    int times = 1;
};
BENNU_RECORD(Greeting, name, times)

struct EchoChannel : Channel {
    struct Tick {};

    Task<Join> join(Topic topic, Json params) override {
        if (topic == "echo:closed") co_return Join::refuse(Json::object({{"reason", "closed"}}));
        if (topic == "echo:boom") throw std::runtime_error("join fails on purpose");
        co_return Join::ok(Json::object({{"params", params}, {"assigns", assigns()}}));
    }

    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "echo") co_return Reply::ok(std::move(payload));
        if (event == "push") push("pushed", payload);
        if (event == "others") broadcast_from("others", payload);
        if (event == "crash") throw std::runtime_error("handler fails on purpose");
        if (event == "stop") co_return Reply::ok(Json::object({{"bye", true}})).then_stop();
        if (event == "kick") pubsub::broadcast(Topic(socket_id()), "disconnect");
        if (event == "slow")
            co_await bennu::sleep(std::chrono::milliseconds(payload["ms"].as_int()));
        if (event == "greet") {
            auto greeting = payload_as<Greeting>(payload);
            if (!greeting) co_return greeting.error();
            co_return Reply::ok(*greeting);
        }
        if (event == "later") {
            later_ = later(event);
            send_after(ref_as<EchoChannel>(), Tick{}, 20ms);
            co_return Reply::none();
        }
        if (event == "push" || event == "others") co_return Reply::none();
        if (event == "slow" || event == "kick") co_return Reply::ok();
        co_return unknown(event);
    }

    Task<Reply> handle_binary(Event event, Bytes data) override {
        if (event == "pushbin") push("pushedbin", data);
        if (event == "allbin") broadcast("allbin", data);
        co_return Reply::ok(data);
    }

    void handle(Tick) { reply(later_, Reply::ok(Json::object({{"late", true}}))); }

    ReplyRef later_;
};

struct PeopleChannel : Channel {
    Task<Join> join(Topic, Json params) override {
        name_ = params.get<std::string>("name").value_or("nobody");
        co_return Join::ok();
    }
    Task<> after_join() override {
        track(name_, Json::object({{"status", "here"}}));
        push_presence_state();
        co_return;
    }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event != "status") co_return unknown(event);
        track(name_, payload);
        co_return Reply::ok();
    }

    std::string name_;
};

struct FilterChannel : Channel {
    static constexpr std::string_view intercepted[] = {"loud", "secret"};
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    std::span<const std::string_view> intercept() const override { return intercepted; }
    Task<Reply> handle_in(Event event, Json payload) override {
        broadcast(event.name, payload);
        co_return Reply::none();
    }
    Task<> handle_out(Broadcast message) override {
        if (message.event() == "loud") push("quiet", message.payload());
        co_return;
    }
};

Task<Result<Connected>> connect(ConnectRequest request) {
    if (request.params["deny"] == Json("yes")) co_return Error(ErrorKind::forbidden, "forbidden");
    co_return Connected{
        .assigns = Json::object({{"params", request.params}, {"token", request.auth_token}}),
        .id = "people:" + request.params.get<std::string>("person").value_or("nobody")};
}

Task<Result<>> serve(std::uint16_t port) {
    auto router = std::make_shared<Router>();
    mount_socket(*router,
                 {.path = "/socket",
                  .channels = {channel<EchoChannel>("echo:*"), channel<PeopleChannel>("people"),
                               channel<FilterChannel>("filter")},
                  .connect = &connect,
                  .origins = {"https://friend.example"}});
    mount_socket(*router, {.path = "/small",
                           .channels = {channel<EchoChannel>("echo:*")},
                           .limits = {.max_channels = 3, .max_message = 1000, .idle_timeout = 1s}});
    std::vector<ChildSpec> children;
    children.push_back(child_endpoint({.port = port}, router));
    co_await require(supervise({}, std::move(children)));
    SocketAddress address =
        co_await call(whereis<net::HttpServer>("endpoint"), net::HttpServer::Address{});
    std::printf("conformance server is ready at http://%s\n", address.to_string().c_str());
    std::fflush(stdout);
    co_await stop_requested();
    co_return {};
}

}  // namespace conformance

int main(int argc, char** argv) {
    std::uint16_t port = 0;
    if (argc == 3) {
        std::string_view text = argv[2];
        std::from_chars(text.begin(), text.end(), port);
    }
    return run({}, [port]() -> Task<Result<>> { co_return co_await conformance::serve(port); });
}
