#include "bennu/channel/poll_relay.hpp"

#include "bennu/base/bytes.hpp"

namespace bennu::phoenix {

namespace {

using namespace std::chrono_literals;

/// Nodes that are gone stay known; this many are more than there ever are at once.
constexpr std::size_t most_addresses = 1000;

/// Numbers of 64 bits are integers with a sign in JSON.
std::int64_t as_json(std::uint64_t number) {
    return static_cast<std::int64_t>(number);
}
std::uint64_t address_in(const Json& said) {
    return static_cast<std::uint64_t>(said.get<std::int64_t>("at").value_or(0));
}

std::string topic_of(std::string_view node) {
    return "phx:poll:" + hex_encode(node);
}
std::string_view text_of(const PollNode& node) {
    return {node.data(), node.size()};
}

}  // namespace

Task<Result<PollAnswer>> ask_session(PollRequest request, Duration window) {
    Ref<PollSocket> session(request.session);
    if (!request.post) {
        co_return co_await try_call(session, PollSocket::Poll{},
                                    {.timeout = window + 5s, .inherit_deadline = false});
    }
    Result<std::uint16_t> taken =
        co_await try_call(session, PollSocket::Post{std::move(request.frames)},
                          {.timeout = window, .inherit_deadline = false});
    if (taken) co_return PollAnswer{.status = *taken};
    if (taken.error().kind() == ErrorKind::timeout) co_return PollAnswer{.status = 408};
    if (taken.error().code() == "crashed") co_return PollAnswer{.status = 500};
    co_return std::move(taken).error();
}

PollRelay::PollRelay(PollNode node, Duration window) : node_(node), window_(window) {}

Task<Result<Ref<PollRelay>>> PollRelay::get(PollNode node, Duration window) {
    const std::string name = topic_of(text_of(node));
    if (auto present = whereis<PollRelay>(name)) co_return present;
    auto started = co_await bennu::start<PollRelay>(SpawnOptions{.name = name}, node, window);
    // Another request may have been quicker.
    if (!started) {
        if (auto present = whereis<PollRelay>(name)) co_return present;
    }
    co_return started;
}

Task<Result<>> PollRelay::init() {
    subscription_ = pubsub::subscribe(Ref<PollRelay>(self()), topic_of(text_of(node_)));
    co_return {};
}

void PollRelay::handle(Ask message, From<PollAnswer> from) {
    const std::int64_t id = ++last_id_;
    Json frames = Json::array();
    for (const PollFrame& frame : message.request.frames) {
        frames.push_back(
            Json::object({{"data", frame.binary ? base64_encode(frame.data) : frame.data},
                          {"binary", frame.binary}}));
    }
    waiting_.emplace(id, Waiting{.from = std::move(from), .node = message.node});
    send_after(Ref<PollRelay>(self()), GiveUp{id, false}, patience);
    const auto known = addresses_.find(message.node);
    pubsub::direct_broadcast(known == addresses_.end() ? 0 : known->second,
                             topic_of(text_of(message.node)), "ask",
                             Json::object({{"id", id},
                                           {"from", hex_encode(text_of(node_))},
                                           {"at", as_json(pubsub::own_node())},
                                           {"session", as_json(message.request.session.bits())},
                                           {"post", message.request.post},
                                           {"frames", std::move(frames)}}));
}

void PollRelay::handle(GiveUp message) {
    auto found = waiting_.find(message.id);
    if (found == waiting_.end() || found->second.acknowledged != message.acknowledged) return;
    // If it is there after all, the next request finds it.
    addresses_.erase(found->second.node);
    found->second.from.fail(Error(ErrorKind::closed, "node_gone"));
    waiting_.erase(found);
}

void PollRelay::handle(Broadcast message) {
    const Json& said = message.payload();
    if (message.event() == "ask") return serve(said);
    auto found = waiting_.find(said.get<std::int64_t>("id").value_or(0));
    if (found == waiting_.end()) return;
    if (message.event() == "ack") {
        return acknowledge(found->first, found->second, address_in(said));
    }
    if (message.event() == "answer") {
        found->second.from.reply({.status = said.get<std::uint16_t>("status").value_or(500),
                                  .messages = said.get<std::string>("messages").value_or("")});
    } else {
        found->second.from.fail(Error(ErrorKind::closed, "session_gone"));
    }
    waiting_.erase(found);
}

void PollRelay::acknowledge(std::int64_t id, Waiting& waiting, std::uint64_t address) {
    waiting.acknowledged = true;
    send_after(Ref<PollRelay>(self()), GiveUp{id, true}, window_ + 5s);
    if (address == 0) return;
    if (addresses_.size() >= most_addresses) addresses_.clear();
    addresses_[waiting.node] = address;
}

/// What another node asks of a session here.
void PollRelay::serve(const Json& asked) {
    const std::int64_t id = asked.get<std::int64_t>("id").value_or(0);
    Result<std::string> from = hex_decode(asked.get<std::string>("from").value_or(""));
    auto session = asked.get<std::int64_t>("session");
    if (!from || !session) return;
    PollRequest request{.session = Pid::from_bits(static_cast<std::uint64_t>(*session)),
                        .post = asked.get<bool>("post").value_or(false)};
    for (std::size_t i = 0; i < asked["frames"].size(); ++i) {
        const Json& frame = asked["frames"][i];
        const bool binary = frame.get<bool>("binary").value_or(false);
        std::string data = frame.get<std::string>("data").value_or("");
        if (binary) data = base64_decode(data).value_or(std::string());
        request.frames.push_back({.data = std::move(data), .binary = binary});
    }
    Topic back(topic_of(*from));
    const std::uint64_t at = address_in(asked);
    pubsub::direct_broadcast(at, back, "ack",
                             Json::object({{"id", id}, {"at", as_json(pubsub::own_node())}}));
    spawn_task([back, at, id, window = window_, request = std::move(request)]() mutable -> Task<> {
        Result<PollAnswer> answer = co_await ask_session(std::move(request), window);
        if (answer) {
            pubsub::direct_broadcast(
                at, back, "answer",
                Json::object(
                    {{"id", id}, {"status", answer->status}, {"messages", answer->messages}}));
        } else {
            pubsub::direct_broadcast(at, back, "gone", Json::object({{"id", id}}));
        }
    });
}

}  // namespace bennu::phoenix
