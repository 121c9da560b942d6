#include "bennu/channel/channel.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/channel/scratch.hpp"
#include "bennu/channel/serializer.hpp"
#include "bennu/channel/stopwatch.hpp"
#include "bennu/channel/trouble.hpp"
#include "bennu/pubsub/mark.hpp"

namespace bennu {

using phoenix::Scratch;

struct Channel::Extras {
    struct Other {
        Topic topic;
        pubsub::Subscription subscription;
    };
    std::vector<Other> subscriptions;
    std::vector<presence::Tracked> tracked;
    Mark place;  ///< of the broadcast that `handle_out` has, until it is pushed
};

namespace {

constinit EventName channel_joined{"channel.joined"};
constinit EventName channel_handled_in{"channel.handled_in"};

/// The class of a channel, for logs and telemetry.
std::string_view type_name(Pid channel) {
    detail::Process* process = on_shard() ? detail::Shard::current()->find(channel) : nullptr;
    return process ? process->type->name : std::string_view();
}

/// What a client asks for with `"resume": {"position"}` when it joins. A position that nobody gave
/// it is one that nothing is known of.
std::optional<pubsub::Position> asked_position(const Json& params) {
    const Json* resume = params.find("resume");
    if (!resume) return std::nullopt;
    return pubsub::read_position((*resume)["position"]).value_or(pubsub::Position());
}

/// The status that the client is answered with.
std::string_view outcome_of(const Reply& reply) {
    return reply.has_answer() ? reply.status() : "none";
}

/// States of many topics may be large together: each is told when there is room for it.
void show_presence(const ReplyRef& to) {
    presence::with_state(to.topic, [to](const std::string& state) {
        if (!to.transport->room(to.socket).any()) {
            to.transport->when_taken(to.socket, [to] { show_presence(to); });
            return;
        }
        Scratch out;
        phoenix::encode_push(*out, to.transport->version, to.join_ref, to.topic, "presence_state",
                             Payload::from_text(state));
        to.transport->send_text(to.socket, *out);
    });
}

}  // namespace

/// Stands in the frame of a handler that a client's message runs: whatever ends that, telemetry
/// hears of it.
class Channel::Told {
  public:
    Told(const Channel& channel, EventName& name, std::string_view event = {})
        : channel_(channel), name_(name), heard_(name.heard()) {
        if (heard_) event_ = event;
    }
    Told(const Told&) = delete;
    Told& operator=(const Told&) = delete;
    ~Told() {
        if (!over_) end("ended");
    }

    void end(std::string_view outcome) {
        over_ = true;
        if (!heard_) return;
        emit(name_, {{"duration", watch_.elapsed()}},
             {{"channel", type_name(channel_.pid_)},
              {"topic", channel_.topic_.view()},
              {"event", event_},
              {"transport", channel_.transport_->name},
              {"serializer", phoenix::to_string(channel_.transport_->version)},
              {"outcome", outcome}});
    }

  private:
    const Channel& channel_;
    EventName& name_;
    std::string event_;
    phoenix::Stopwatch watch_;
    bool heard_;
    bool over_ = false;
};

Channel::Channel() = default;
Channel::~Channel() = default;

// --- What apps override
// -------------------------------------------------------------------------------------------

Task<> Channel::after_join() {
    co_return;
}
Task<Reply> Channel::handle_in(Event event, Json) {
    co_return unknown(event);
}
Task<Reply> Channel::handle_binary(Event event, Bytes) {
    co_return unknown(event);
}
Task<> Channel::handle_out(Broadcast message) {
    push(message.event(), message.is_binary() ? Payload(Bytes::copy(message.data()))
                                              : Payload::from_text(std::string(message.data())));
    co_return;
}
Task<> Channel::handle_info(Broadcast) {
    co_return;
}
Task<> Channel::handle_down(Down) {
    co_return;
}
Task<> Channel::terminate(ExitReason) {
    co_return;
}

Reply Channel::unknown(const Event& event) const {
    if (auto others = phoenix::bounded(phoenix::Trouble::unknown_event)) {
        log_warning("a channel does not know this event", {{"channel", type_name(pid_)},
                                                           {"topic", excerpt(topic_)},
                                                           {"event", excerpt(event.name)},
                                                           {"others", *others}});
    }
    return Reply::error(Json::object({{"reason", "unknown event " + event.name}}));
}

// --- What apps call
// -----------------------------------------------------------------------------------------------

const Json& Channel::assigns() const {
    static const Json none = Json::object();
    return info_ ? info_->assigns : none;
}

std::string_view Channel::socket_id() const {
    return info_ ? std::string_view(info_->id) : std::string_view();
}

bool Channel::takes_binary(std::string_view event) const {
    if (!transport_->binary) {
        log_warning("bytes for a client whose transport has none",
                    {{"topic", topic_.view()}, {"event", event}});
    }
    return transport_->binary;
}

/// What no client's types know of is found by the first test that comes by.
void Channel::check_sends(std::string_view event) const {
    if (!contract_ || contract_->sends.empty()) return;
    if (std::ranges::find(contract_->sends, event) != contract_->sends.end()) return;
    throw std::logic_error("the channel's types() do not say that it sends " + std::string(event));
}

void Channel::check_broadcasts(std::string_view event) const {
    if (std::ranges::find(intercept(), event) == intercept().end()) check_sends(event);
}

void Channel::push(std::string_view event, const Payload& payload) {
    check_sends(event);
    if (!socket_) return;
    if (extras_ && extras_->place) [[unlikely]]
        return push_in_place(event, payload);
    write(event, payload);
}

/// The push stands for the broadcast that `handle_out` has.
void Channel::push_in_place(std::string_view event, const Payload& payload) {
    std::optional<std::string> object;
    if (!payload.is_binary()) {
        std::string text;
        payload.write(text);
        object = pubsub::markable(std::move(text));
    }
    if (!object) return write(event, payload);
    pubsub::append_mark(*object, std::exchange(extras_->place, {}));
    write(event, Payload::from_text(*std::move(object)));
}

void Channel::write(std::string_view event, const Payload& payload) {
    if (payload.is_binary() && !takes_binary(event)) return;
    Scratch out;
    if (payload.is_binary()) {
        phoenix::encode_binary_push(*out, join_ref_, topic_, event, payload.bytes());
    } else {
        phoenix::encode_push(*out, transport_->version, join_ref_, topic_, event, payload);
    }
    if (transport_->slow(socket_)) [[unlikely]] {
        transport_->hold(socket_, Broadcast(topic_, event, payload), *out);
    } else if (payload.is_binary()) {
        transport_->send_binary(socket_, *out);
    } else {
        transport_->send_text(socket_, *out);
    }
}

void Channel::broadcast(std::string_view event, const Payload& payload) {
    check_broadcasts(event);
    pubsub::broadcast(topic_, event, payload);
}

void Channel::broadcast_from(std::string_view event, const Payload& payload) {
    check_broadcasts(event);
    pubsub::broadcast_from(pid_, topic_, event, payload);
}

ReplyRef Channel::place(const Json& ref) const {
    return {socket_, transport_, topic_, join_ref_, ref};
}
ReplyRef Channel::later(const Event& event) const {
    return place(event.ref);
}

void Channel::reply(const ReplyRef& ref, const Reply& reply) {
    if (!ref.socket || !socket_ || ref.ref.is_null() || !reply.has_answer()) return;
    answer(ref.ref, reply.status(), reply.response());
}

void Channel::answer(const Json& ref, std::string_view status, const Payload& response) {
    if (!socket_) return;
    Scratch out;
    if (response.is_binary() && !takes_binary("phx_reply")) {
        phoenix::encode_reply(*out, transport_->version, join_ref_, ref, topic_, "error",
                              Json::object({{"reason", "binary payloads need a WebSocket"}}));
        transport_->send_text(socket_, *out);
    } else if (response.is_binary()) {
        phoenix::encode_binary_reply(*out, join_ref_, ref, topic_, status, response.bytes());
        transport_->send_binary(socket_, *out);
    } else {
        phoenix::encode_reply(*out, transport_->version, join_ref_, ref, topic_, status, response);
        transport_->send_text(socket_, *out);
    }
}

Channel::Extras& Channel::extras() {
    if (!extras_) extras_ = std::make_unique<Extras>();
    return *extras_;
}

void Channel::subscribe(const Topic& topic) {
    unsubscribe(topic);
    extras().subscriptions.push_back(
        {topic,
         pubsub::detail::subscribe(topic, pid_, pid_, [](Pid to, const Broadcast& broadcast) {
             cast(Ref<Channel>(to), Info{broadcast});
         })});
}

void Channel::unsubscribe(const Topic& topic) {
    if (extras_)
        std::erase_if(extras_->subscriptions, [&](auto& other) { return other.topic == topic; });
}

void Channel::track(std::string_view key, const Json& meta) {
    if (contract_ && contract_->check_meta) {
        if (Result<> fits = contract_->check_meta(meta); !fits)
            throw std::logic_error("no meta as types() says: " + fits.error().describe());
    }
    auto& tracked = extras().tracked;
    auto entry = std::ranges::find(tracked, key, &presence::Tracked::key);
    if (entry != tracked.end()) {
        entry->update(meta);
    } else {
        tracked.push_back(presence::track(topic_, key, meta));
    }
}

void Channel::untrack(std::string_view key) {
    if (extras_) std::erase_if(extras_->tracked, [&](auto& entry) { return entry.key() == key; });
}

void Channel::push_presence_state() {
    if (!socket_) return;
    shows_presence_ = true;
    show_presence(place(nullptr));
}

// --- What the session drives
// --------------------------------------------------------------------------------------

void Channel::attach(Attachment attachment) {
    pid_ = attachment.pid;
    socket_ = attachment.socket;
    transport_ = attachment.transport;
    topic_ = std::move(attachment.topic);
    join_ref_ = std::move(attachment.join_ref);
    info_ = std::move(attachment.info);
    contract_ = attachment.contract;
}

void Channel::detach() {
    socket_ = {};
    subscription_.reset();
}

Task<> Channel::handle(DoJoin message) {
    const bool durable = pubsub::is_durable(topic_);
    std::optional<pubsub::Position> seen;
    if (durable) seen = asked_position(message.params);
    Told told(*this, channel_joined, "phx_join");
    std::optional<Join> refused = refuse_params(message.params);
    Join answered =
        refused ? *std::move(refused) : co_await join(topic_, std::move(message.params));
    told.end(answered.accepted() ? "ok" : "error");
    if (!answered.accepted() || !socket_) {
        answer(join_ref_, answered.accepted() ? "ok" : "error", answered.response());
    } else if (durable) {
        co_await catch_up(std::move(seen), answered.response());
    } else {
        accept(answered.response());
        listen();
    }
    if (!joined_) {
        stop(pid_, ExitReason::normal());
        co_return;
    }
    if (socket_) co_await after_join();
}

std::optional<Join> Channel::refuse_params(Json& params) const {
    if (!contract_ || !contract_->check_params) return std::nullopt;
    if (!contract_->takes_resume) params.erase("resume");
    Result<> fits = contract_->check_params(params);
    if (fits) return std::nullopt;
    return Join(fits.error());
}

/// The client knows that it joined.
void Channel::accept(const Payload& response) {
    answer(join_ref_, "ok", response);
    joined_ = true;
    transport_->joined(socket_, pid_);
}

const detail::EventHandler* Channel::handler(std::string_view event) const {
    if (!contract_) return nullptr;
    auto found = std::ranges::find(contract_->handlers, event, &detail::EventHandler::event);
    return found == contract_->handlers.end() ? nullptr : &*found;
}

[[clang::coro_wrapper]] Task<Reply> Channel::take(Event&& event, Json&& payload) {
    const detail::EventHandler* typed = handler(event.name);
    if (typed && typed->json) return typed->json(*this, std::move(event), std::move(payload));
    return handle_in(std::move(event), std::move(payload));
}

[[clang::coro_wrapper]] Task<Reply> Channel::take_binary(Event&& event, Bytes&& data) {
    const detail::EventHandler* typed = handler(event.name);
    if (typed && typed->binary) return typed->binary(*this, std::move(event), std::move(data));
    return handle_binary(std::move(event), std::move(data));
}

void Channel::conclude(const Json& ref, const Reply& reply) {
    if (reply.has_answer() && !ref.is_null()) answer(ref, reply.status(), reply.response());
    if (reply.stops()) stop(pid_, ExitReason::normal());
}

Task<> Channel::handle(Incoming message) {
    --waiting_;
    Told told(*this, channel_handled_in, message.event.name);
    Json ref = message.event.ref;
    Reply reply = co_await take(std::move(message.event), std::move(message.payload));
    conclude(ref, reply);
    told.end(outcome_of(reply));
}

Task<> Channel::handle(IncomingBinary message) {
    --waiting_;
    Told told(*this, channel_handled_in, message.event.name);
    Json ref = message.event.ref;
    Reply reply = co_await take_binary(std::move(message.event), std::move(message.data));
    conclude(ref, reply);
    told.end(outcome_of(reply));
}

void Channel::handle(Leave message) {
    if (!message.ref.is_null()) answer(message.ref, "ok", {});
    stop(pid_, ExitReason::shutdown());
}

Task<> Channel::handle(Intercepted message) {
    co_await pass_on(std::move(message.broadcast));
}

Task<> Channel::handle(Missed message) {
    for (Broadcast& missed : message.broadcasts) co_await pass_on(std::move(missed));
}

Task<> Channel::pass_on(Broadcast message) {
    if (std::ranges::count(intercept(), message.event()) == 0) {
        if (socket_) transport_->deliver(socket_, message);
        co_return;
    }
    if (message.mark()) extras().place = message.mark();
    co_await handle_out(std::move(message));
    if (extras_) extras_->place = {};
}

/// Diffs were among what the client lost.
void Channel::handle(Resynced) {
    if (shows_presence_) push_presence_state();
}

Task<> Channel::handle(Info message) {
    co_await handle_info(std::move(message.broadcast));
}
Task<> Channel::handle(Down down) {
    co_await handle_down(std::move(down));
}

Task<> Channel::finish(ExitReason reason) {
    if (joined_) co_await terminate(std::move(reason));
}

}  // namespace bennu
