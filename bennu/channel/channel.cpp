#include "bennu/channel/channel.hpp"

#include "bennu/channel/scratch.hpp"
#include "bennu/channel/serializer.hpp"

namespace bennu {

using phoenix::Scratch;

struct Channel::Extras {
    struct Other {
        Topic topic;
        pubsub::Subscription subscription;
    };
    std::vector<Other> subscriptions;
    std::vector<presence::Tracked> tracked;
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

Reply Channel::unknown(const Event& event) {
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

void Channel::push(std::string_view event, const Payload& payload) {
    if (!socket_) return;
    Scratch out;
    if (payload.is_binary()) {
        phoenix::encode_binary_push(*out, join_ref_, topic_, event, payload.bytes());
        transport_->send_binary(socket_, *out);
    } else {
        phoenix::encode_push(*out, join_ref_, topic_, event, payload);
        transport_->send_text(socket_, *out);
    }
}

void Channel::broadcast(std::string_view event, const Payload& payload) {
    pubsub::broadcast(topic_, event, payload);
}

void Channel::broadcast_from(std::string_view event, const Payload& payload) {
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
    if (response.is_binary()) {
        phoenix::encode_binary_reply(*out, join_ref_, ref, topic_, status, response.bytes());
        transport_->send_binary(socket_, *out);
    } else {
        phoenix::encode_reply(*out, join_ref_, ref, topic_, status, response);
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
    auto& tracked = extras().tracked;
    auto entry = std::ranges::find(tracked, key, &presence::Tracked::key);
    if (entry != tracked.end()) {
        entry->update(meta);
    } else {
        tracked.push_back(presence::track(topic_, std::string(key), meta));
    }
}

void Channel::untrack(std::string_view key) {
    if (extras_) std::erase_if(extras_->tracked, [&](auto& entry) { return entry.key() == key; });
}

void Channel::push_presence_state() {
    if (!socket_) return;
    presence::with_state(topic_, [to = place(nullptr)](const Shared<std::string>& state) {
        Scratch out;
        phoenix::encode_push(*out, to.join_ref, to.topic, "presence_state",
                             Payload::from_text(*state));
        to.transport->send_text(to.socket, *out);
    });
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
}

void Channel::detach() {
    socket_ = {};
    subscription_.reset();
}

Task<> Channel::handle(DoJoin message) {
    Join answered = co_await join(topic_, std::move(message.params));
    answer(join_ref_, answered.accepted() ? "ok" : "error", answered.response());
    if (!answered.accepted() || !socket_) {
        stop(pid_, ExitReason::normal());
        co_return;
    }
    joined_ = true;
    transport_->joined(socket_, pid_);
    if (intercept().empty()) {
        subscription_ = pubsub::subscribe_fastlane(topic_, pid_, socket_, transport_->deliver);
    } else {
        subscription_ =
            pubsub::detail::subscribe(topic_, pid_, pid_, [](Pid to, const Broadcast& broadcast) {
                cast(Ref<Channel>(to), Intercepted{broadcast});
            });
    }
    co_await after_join();
}

void Channel::conclude(const Json& ref, const Reply& reply) {
    if (reply.has_answer() && !ref.is_null()) answer(ref, reply.status(), reply.response());
    if (reply.stops()) stop(pid_, ExitReason::normal());
}

Task<> Channel::handle(Incoming message) {
    --waiting_;
    Json ref = message.event.ref;
    Reply reply = co_await handle_in(std::move(message.event), std::move(message.payload));
    conclude(ref, reply);
}

Task<> Channel::handle(IncomingBinary message) {
    --waiting_;
    Json ref = message.event.ref;
    Reply reply = co_await handle_binary(std::move(message.event), std::move(message.data));
    conclude(ref, reply);
}

void Channel::handle(Leave message) {
    if (!message.ref.is_null()) answer(message.ref, "ok", {});
    stop(pid_, ExitReason::shutdown());
}

Task<> Channel::handle(Intercepted message) {
    if (std::ranges::count(intercept(), message.broadcast.event()) > 0) {
        co_await handle_out(std::move(message.broadcast));
    } else if (socket_) {
        transport_->deliver(socket_, message.broadcast);
    }
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
