#include "bennu/channel/longpoll_route.hpp"

#include <algorithm>
#include <limits>

#include "bennu/base/ascii.hpp"
#include "bennu/base/bytes.hpp"
#include "bennu/base/log.hpp"
#include "bennu/base/random.hpp"
#include "bennu/channel/longpoll_transport.hpp"
#include "bennu/channel/poll_relay.hpp"
#include "bennu/channel/poll_token.hpp"
#include "bennu/net/request_table.hpp"
#include "bennu/web/endpoint.hpp"

namespace bennu::phoenix {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_frames = 100;  // npm phoenix sends no more at once

/// What the routes of one socket share.
struct LongPoll : std::enable_shared_from_this<LongPoll> {
    explicit LongPoll(std::shared_ptr<const MountedSocket> mounted)
        : socket(std::move(mounted)), sessions(limits().max_sessions) {}

    const SocketOptions& options() const { return *socket->options; }
    const LongPollOptions& limits() const { return *socket->options->longpoll; }

    /// Called through the plug below, before the first request.
    void start(const EndpointOptions& endpoint) {
        constexpr std::string_view purpose = "bennu longpoll";
        if (Result<KeyRing> ring = endpoint_keys(endpoint, purpose)) {
            keys = std::make_shared<const KeyRing>(*std::move(ring));
            return;
        }
        // Without a secret of its own the endpoint's tokens are good on this node only.
        std::string drawn(32, '\0');
        secure_random(std::as_writable_bytes(std::span(drawn)));
        keys = std::make_shared<const KeyRing>(Secret(std::move(drawn)), purpose);
    }

    std::shared_ptr<const MountedSocket> socket;
    std::shared_ptr<const KeyRing> keys;
    PollNode node = draw_poll_node();
    mutable bennu::detail::RouteUse sessions;
};

struct LongPollKeys {
    std::shared_ptr<LongPoll> poll;
    Result<> start(const EndpointOptions& endpoint) {
        poll->start(endpoint);
        return {};
    }
    void before(const Conn&) const {}
};

Response with_status(const Conn& conn, int status, std::string_view rest = {}) {
    Response response =
        json_text(conn, 200, "{\"status\":" + std::to_string(status) + std::string(rest) + "}");
    response.headers.set("cache-control", "no-store");
    // Pages of other sites are let in by the Origin check, which every request passes.
    response.headers.set("access-control-allow-origin", "*");
    return response;
}

/// The reason is for whoever looks at the answer while developing.
Response with_refusal(const Conn& conn, std::string_view why) {
    std::string rest;
    if (conn.development()) {
        rest = ",\"reason\":";
        append_json_string(rest, why);
    }
    return with_status(conn, 403, rest);
}

Response with_messages(const Conn& conn, int status, std::string_view token,
                       std::string_view messages) {
    std::string rest = ",\"token\":";
    append_json_string(rest, token);
    rest += ",\"messages\":[";
    rest += messages;
    rest += ']';
    return with_status(conn, status, rest);
}

std::string token_of(const Conn& conn) {
    std::string token = conn.query().get<std::string>("token").value_or("");
    return token.empty() ? std::string(conn.header("x-phoenix-longpoll-token")) : token;
}

/// Asks the session that the token names, here or on another node. An error: there is none.
Task<Result<PollAnswer>> ask(const LongPoll& poll, std::string token, PollRequest request) {
    Result<PollToken> opened = open_poll_token(*poll.keys, token, wall_now());
    if (!opened) co_return std::move(opened).error();
    const PollToken named = *opened;
    const Duration window = poll.limits().window;
    request.session = named.session;
    if (named.node == poll.node) co_return co_await ask_session(std::move(request), window);
    if (!pubsub::has_adapter()) co_return Error(ErrorKind::closed, "session_gone");
    Ref<PollRelay> relay = co_await require(PollRelay::get(poll.node, window));
    co_return co_await try_call(relay, PollRelay::Ask{named.node, std::move(request)},
                                {.timeout = window + 10s, .inherit_deadline = false});
}

Task<Response> open_session(Conn conn, const LongPoll& poll) {
    const std::optional<Version> version = requested_version(conn);
    if (!version) co_return with_status(conn, 403);
    std::shared_ptr<net::ConnectionTable> table = net::request_connection_table();
    bennu::detail::RouteUse::Share share(poll.sessions);
    // 500 makes the client try again.
    if (!share || table->draining) co_return with_status(conn, 500);
    Result<Shared<SocketInfo>> info =
        co_await connect_socket(conn, poll.options(),
                                {.auth_token = std::string(conn.header("x-phoenix-authtoken")),
                                 .transport = "longpoll",
                                 .version = *version});
    if (!info) co_return with_status(conn, is_forbidden(info.error()) ? 403 : 500);
    auto socket =
        co_await bennu::start<PollSocket>({}, PollSocket::Start{.options = poll.socket->options,
                                                                .info = *std::move(info),
                                                                .version = *version,
                                                                .table = std::move(table),

                                                                .share = std::move(share),
                                                                .owner = poll.shared_from_this()});
    if (!socket) co_return with_status(conn, 500);
    // Requests of this session may land on other nodes, whose relays ask this one's.
    if (pubsub::has_adapter()) (void)co_await PollRelay::get(poll.node, poll.limits().window);
    co_return with_messages(
        conn, 410, seal_poll_token(*poll.keys, {poll.node, socket->pid()}, wall_now()), {});
}

Task<Response> listen(Conn conn, const LongPoll& poll) {
    if (conn.method() == net::Method::head) co_return Response(400);
    if (auto why = poll.socket->origins.refusal(conn)) co_return with_refusal(conn, *why);
    const std::string token = token_of(conn);
    Result<PollAnswer> answer = co_await ask(poll, token, {});
    if (answer) co_return with_messages(conn, answer->status, token, answer->messages);
    co_return co_await open_session(conn, poll);
}

/// What a POST is answered whose body cannot be read.
int refusal_of(const Error& unreadable) {
    if (unreadable.kind() == ErrorKind::too_large) return 413;
    return unreadable.kind() == ErrorKind::timeout ? 408 : 500;
}

Task<Response> publish(Conn conn, const LongPoll& poll) {
    if (auto why = poll.socket->origins.refusal(conn)) co_return with_refusal(conn, *why);
    Result<std::string> body = co_await conn.body_reader().rest(poll.limits().max_body);
    if (!body) co_return with_status(conn, refusal_of(body.error()));
    Result<std::vector<PollFrame>> frames = read_poll_frames(conn.header("content-type"), *body);
    if (!frames) co_return with_status(conn, 413);
    Result<PollAnswer> taken =
        co_await ask(poll, token_of(conn), PollRequest{.post = true, .frames = *std::move(frames)});
    co_return with_status(conn, taken ? taken->status : 410);
}

Response preflight(const Conn& conn, const LongPoll& poll) {
    if (auto why = poll.socket->origins.refusal(conn)) return with_refusal(conn, *why);
    Response response(200, text_type, std::string());
    response.headers.set("access-control-allow-origin", "*");
    response.headers.set("access-control-allow-headers",
                         conn.header("access-control-request-headers"));
    response.headers.set("access-control-allow-methods", "get, post, options");
    response.headers.set("access-control-max-age", "3600");
    return response;
}

/// Anything but a status in a body would make the client stop for good.
Task<Response> contained(Conn conn, Task<Response> answer) {
    Contained<Response> outcome = co_await contain(std::move(answer));
    if (outcome) co_return *std::move(outcome.value);
    log_error("a request of long polling crashed",
              {{"path", conn.path()}, {"reason", outcome.fault->describe()}});
    co_return with_status(conn, 500);
}

/// Base64 as `btoa` writes it. What is none becomes a frame that no decoder takes.
PollFrame binary_frame(std::string_view line) {
    Result<std::string> data = base64_decode(line);
    return {.data = data ? *std::move(data) : std::string(), .binary = true};
}

}  // namespace

Result<std::vector<PollFrame>> read_poll_frames(std::string_view content_type,
                                                std::string_view body) {
    std::vector<PollFrame> frames;
    const std::string_view type = content_type.substr(0, content_type.find(';'));
    if (!iequals(type, "application/x-ndjson")) {
        frames.push_back({.data = std::string(body)});
        return frames;
    }
    while (!body.empty()) {
        const std::size_t end = body.find('\n');
        std::string_view line = body.substr(0, end);
        body = end == std::string_view::npos ? std::string_view() : body.substr(end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        if (frames.size() == most_frames) return Error(ErrorKind::too_large, "too_many_frames");
        // V1 frames are objects; base64 begins with neither.
        const bool text = line.front() == '[' || line.front() == '{';
        frames.push_back(text ? PollFrame{.data = std::string(line)} : binary_frame(line));
    }
    return frames;
}

void mount_longpoll(RouteScope& scope, const std::string& path,
                    std::shared_ptr<const MountedSocket> socket) {
    auto poll = std::make_shared<LongPoll>(std::move(socket));
    Pipeline plugs{LongPollKeys{poll}};
    // A poll is the next message of a client that is served already, so it is not turned away.
    scope.get(path,
              [poll] [[clang::coro_wrapper]] (Conn conn) -> Task<Response> {
                  return contained(conn, listen(conn, *poll));
              },
              {.reserved = true, .log = LogLevel::debug, .plugs = plugs});
    scope.post(path,
               [poll] [[clang::coro_wrapper]] (Conn conn) -> Task<Response> {
                   return contained(conn, publish(conn, *poll));
               },
               // It keeps to its own limit: that, too, is answered with a status in a body.
               {.body_limit = std::numeric_limits<std::uint64_t>::max(),
                .stream_body = true,
                .log = LogLevel::debug,
                .plugs = plugs});
    scope.options(path, [poll](Conn conn) { return preflight(conn, *poll); });
    for (net::Method method : {net::Method::put, net::Method::patch, net::Method::delete_}) {
        scope.add(method, path, [](Conn) { return Response(400); });
    }
}

}  // namespace bennu::phoenix
