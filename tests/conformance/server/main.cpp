// What the suite drives beside examples/hello: a channel for every row of the protocol.
#include <atomic>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <thread>

#include "bennu/channel/socket.hpp"
#include "bennu/channel/topic_stream.hpp"
#include "bennu/runtime/runtime.hpp"
#include "bennu/web/early_hints.hpp"
#include "bennu/web/endpoint.hpp"
#include "bennu/web/event_stream.hpp"
#include "bennu/web/protect/forgery.hpp"
#include "bennu/web/session/sessions.hpp"
#include "bennu/web/websocket_route.hpp"

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
        // The first join is slower than its client waits.
        if (topic == "echo:sluggish" && params["try"] == Json(1)) co_await bennu::sleep(400ms);
        if (topic == "echo:boom") throw std::runtime_error("join fails on purpose");
        co_return Join::ok(Json::object({{"params", params}, {"assigns", assigns()}}));
    }

    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "echo") co_return Reply::ok(std::move(payload));
        if (event == "push") push("pushed", payload);
        if (event == "large") {
            const auto bytes = static_cast<std::size_t>(payload["bytes"].as_int());
            push("large", Json::object({{"text", std::string(bytes, 'x')}}));
            co_return Reply::ok();
        }
        if (event == "others") broadcast_from("others", payload);
        if (event == "crash") throw std::runtime_error("handler fails on purpose");
        if (event == "status") co_return Reply::with_status("maybe", std::move(payload));
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

/// `crowd:N` has N people, whose state is large: they come with the first client.
struct CrowdChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    Task<> after_join() override {
        int people = 0;
        const std::string_view number = topic().view().substr(topic().view().find(':') + 1);
        std::from_chars(number.begin(), number.end(), people);
        if (co_await presence::count(topic()) == 0) {
            for (int n = 0; n < people; ++n)
                crowd_.push_back(presence::track(topic(), "guest " + std::to_string(n),
                                                 Json::object({{"about", std::string(150, 'x')}})));
        }
        push_presence_state();
    }

    std::vector<presence::Tracked> crowd_;
};

std::atomic<bool> database_is_away = false;

/// As PeopleChannel; its clients say when the database is away.
struct OutageChannel : PeopleChannel {
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event != "database") co_return co_await PeopleChannel::handle_in(event, payload);
        database_is_away = payload["away"].as_bool();
        co_return Reply::ok();
    }
};

/// What a database would say of those who are present.
struct Account {
    std::string full_name;
};
BENNU_RECORD(Account, full_name)
struct Known {
    Account account;
};
BENNU_RECORD(Known, account)

Task<Result<presence::Fetched<Known>>> accounts(Topic topic,
                                                std::vector<presence::Present<Json>> people) {
    co_await bennu::sleep(20ms);
    if (topic.starts_with("outage:") && database_is_away) co_return Error(ErrorKind::unavailable);
    presence::Fetched<Known> known;
    for (const auto& one : people) {
        if (one.key == "boom") throw std::runtime_error("a fetch fails on purpose");
        known[one.key] = {.account = {.full_name = one.key + " of Bennu"}};
    }
    co_return known;
}

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

/// Sends everything back; `close CODE` and `crash` do what they say.
struct EchoSocket : net::WebSocketHandler {
    void on_open(net::WebSocketConnection&) override {}
    void on_text(net::WebSocketConnection& socket, std::string_view text) override {
        if (text == "crash") throw std::runtime_error("socket fails on purpose");
        std::uint16_t code = 0;
        if (text.starts_with("close ") &&
            std::from_chars(text.begin() + 6, text.end(), code).ptr == text.end()) {
            socket.close(code, "as you like");
        } else {
            socket.send_text(text);
        }
    }
    void on_binary(net::WebSocketConnection& socket, std::string_view data) override {
        socket.send_binary(data);
    }
};

Response echo_socket(Conn conn) {
    return websocket(conn, std::make_unique<EchoSocket>(),
                     {.options = {.max_message = 2 * 1024 * 1024, .deflate = {.enabled = true}}});
}

/// Computes after its hints, until the client, who has them by then, makes a file of that name.
Response hinted(Conn conn) {
    early_hints(conn, {"</app.css>; rel=preload; as=style"});
    early_hints(conn, {"</app.js>; rel=preload", "</logo.svg>; rel=preload"});
    const std::filesystem::path file(conn.query<std::string>("until").value_or(""));
    for (int look = 0; look < 10'000 && !std::filesystem::exists(file); ++look)
        std::this_thread::sleep_for(1ms);
    return text(conn, 200, std::filesystem::exists(file) ? "page" : "nobody had the hints");
}

/// Says more of its text once that is through.
Response summed(Conn conn) {
    auto write = [](net::BodyWriter out) -> Task<Result<>> {
        co_await require(out.write("a,b\n"));
        out.trailer("x-rows", "1");
        co_return {};
    };
    return stream(conn, 200, "text/csv", write).with_header("trailer", "x-rows");
}

/// On durable topics.
struct FeedChannel : Channel {
    Task<Join> join(Topic, Json) override { co_return Join::ok(); }
    Task<Reply> handle_in(Event event, Json payload) override {
        if (event == "say") broadcast("said", payload);
        if (event == "others") broadcast_from("said", payload);
        co_return Reply::ok();
    }
};

/// The feeds, for those who only read.
Task<Result<Topic>> may_follow(Conn conn) {
    if (conn.param("name") == "secret") co_return Error(ErrorKind::forbidden, "forbidden");
    co_return Topic("feed:" + std::string(conn.param("name")));
}

Json connect_info(const ConnectRequest& request) {
    Json headers = Json::object();
    for (auto [name, value] : request.x_headers()) headers.set(name, value);
    return Json::object({{"ip", request.remote_ip},
                         {"agent", request.user_agent()},
                         {"x_headers", headers},
                         {"scheme", request.uri.scheme},
                         {"path", request.uri.path}});
}

/// A page of a visitor who signed in: the token that its script opens the socket with.
Response page(Conn conn) {
    conn.session().put("user", "ada");
    return json(conn, Json::object({{"csrf", csrf_token(conn)}}));
}

Task<Result<Connected>> connect(ConnectRequest request) {
    if (request.params["deny"] == Json("yes")) co_return Error(ErrorKind::forbidden, "forbidden");
    co_return Connected{
        .assigns = Json::object({{"params", request.params},
                                 {"token", request.auth_token},
                                 {"session", request.session ? *request.session : Json()},
                                 {"info", connect_info(request)}}),
        .id = "people:" + request.params.get<std::string>("person").value_or("nobody")};
}

Task<Result<>> serve(std::uint16_t port) {
    auto router = std::make_shared<Router>();
    const pubsub::DurableOptions feeds{.keep = 20, .keep_for = 10min};
    const pubsub::DurableOptions archives{.keep = 1000, .keep_for = 10min};
    mount_topic_stream(*router, "/feeds/:name",
                       {.authorize = &may_follow, .events = {.heartbeat = 1s}});
    mount_socket(*router,
                 {.path = "/socket",
                  .channels = {channel<EchoChannel>("echo:*"), channel<PeopleChannel>("people"),
                               channel<CrowdChannel>("crowd:*"), channel<FilterChannel>("filter"),
                               channel<FeedChannel>("archive:*", {.durable = archives}),
                               channel<FeedChannel>("feed:*", {.durable = feeds})},
                  .connect = &connect,
                  .origins = {"https://friend.example"}});
    mount_socket(*router, {.path = "/small",
                           .channels = {channel<EchoChannel>("echo:*")},
                           .limits = {.max_channels = 3, .max_message = 1000}});
    mount_socket(*router, {.path = "/brief",
                           .channels = {channel<EchoChannel>("echo:*")},
                           .limits = {.idle_timeout = 1s}});
    mount_socket(*router, {.path = "/squeezed",
                           .channels = {channel<EchoChannel>("echo:*")},
                           .compress = {.enabled = true}});
    mount_socket(*router, {.path = "/quick",
                           .channels = {channel<EchoChannel>("echo:*")},
                           .connect = &connect,
                           .longpoll = LongPollOptions{.window = 1s, .max_body = 10'000}});
    mount_socket(
        *router,
        {.path = "/soon",
         .channels = {channel<PeopleChannel>("people"),
                      channel<PeopleChannel>("members:*", {.fetch = &accounts}),
                      channel<OutageChannel>("outage:*", {.fetch = {&accounts, {.retry = 100ms}}})},
         .connect = &connect,
         .longpoll = LongPollOptions{.window = 4s}});
    router->websocket("/echo", &echo_socket);
    router->websocket("/echo/websocket", &echo_socket);  // where the client looks for a socket
    router->get("/hinted", &hinted);
    router->get("/summed", &summed);
    auto closed = without_body(
        [](const Conn& conn) { return std::optional(error_status(conn, 401, "closed", "No.")); });
    router->post("/closed", [](Conn conn) { return no_content(conn); }, {.plugs = {closed}});
    mount_socket(*router, {.path = "/patient",
                           .channels = {channel<FeedChannel>("feed:*", {.durable = feeds})},
                           .outbox = {.policy = OutboxOptions::Policy::resync},
                           .longpoll = LongPollOptions{.max_queued = 10}});
    router->scope("/", {Sessions{}}, [](RouteScope& scope) {
        scope.get("/page", &page);
        mount_socket(scope, {.path = "/private",
                             .channels = {channel<EchoChannel>("echo:*")},
                             .connect = &connect});
    });
    std::vector<ChildSpec> children;
    children.push_back(
        child_endpoint({.port = port,
                        .early_hints = true,
                        .secret = Secret("a secret of the conformance server, 40 ch")},
                       router));
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
    const std::string_view text = argc == 3 ? argv[2] : "";
    if (argc > 1 && std::from_chars(text.begin(), text.end(), port) !=
                        std::from_chars_result{text.end(), std::errc()}) {
        std::fprintf(stderr, "usage: conformance_server [--port PORT]\n");
        return 2;
    }
    return run({}, [port]() -> Task<Result<>> { co_return co_await conformance::serve(port); });
}
