#include "bennu/channel/session.hpp"

#include "bennu/base/log.hpp"
#include "bennu/channel/scratch.hpp"

namespace bennu::phoenix {

namespace {

/// Asks a channel to end, and sees to it that it does.
void retire(Pid pid) {
    stop(pid);
    if (!alive(pid)) return;
    spawn_task([pid]() -> Task<> { (void)co_await stop_and_wait(pid); });
}

}  // namespace

SocketSession::SocketSession(std::shared_ptr<const SocketOptions> options, Shared<SocketInfo> info,
                             const SocketTransport& transport)
    : options_(std::move(options)), info_(std::move(info)), transport_(transport) {}

SocketSession::~SocketSession() {
    close();
}

void SocketSession::open() {
    socket_ = self();
    if (info_ && !info_->id.empty()) {
        id_ = pubsub::subscribe_fastlane(pubsub::intern(info_->id), socket_, socket_,
                                         transport_.deliver_to_id);
    }
}

void SocketSession::close() {
    std::vector<Member> members = std::exchange(channels_, {});
    id_.reset();
    for (Member& member : members) {
        if (!alive(member.pid)) continue;
        member.channel->detach();
        retire(member.pid);
    }
}

void SocketSession::on_text(std::string_view frame) {
    ClientMessage message;
    if (Result<> read = decode_text(frame, message); !read) {
        transport_.close(socket_, 1011, read.error().message());
        return;
    }
    dispatch(message);
}

void SocketSession::on_binary(std::string_view frame) {
    ClientMessage message;
    if (Result<> read = decode_binary(frame, message); !read) {
        transport_.close(socket_, 1011, read.error().message());
        return;
    }
    dispatch(message);
}

void SocketSession::dispatch(const ClientMessage& message) {
    if (message.topic == "phoenix" && message.event == "heartbeat") {
        Scratch out;
        encode_reply(*out, nullptr, message.ref, message.topic, "ok", {});
        send(*out);
        return;
    }
    if (message.event == "phx_join") return join(message);
    if (message.event == "phx_leave") return leave(message);
    Member* member = find(message.topic);
    if (!member) return reply_error(nullptr, message, "unmatched topic");
    if (!message.join_ref.is_null() && message.join_ref != member->join_ref) return;
    if (!alive(member->pid)) return;  // its end is on the way
    if (member->channel->waiting() >= options_->limits.max_waiting) {
        return reply_error(member->join_ref, message, "overloaded");
    }
    ++member->channel->waiting();
    Event event{std::string(message.event), message.ref};
    if (message.binary) {
        cast(Ref<Channel>(member->pid),
             Channel::IncomingBinary{std::move(event), Bytes::copy(message.data)});
    } else {
        // The message is ours alone; its payload moves on.
        cast(Ref<Channel>(member->pid),
             Channel::Incoming{std::move(event),
                               std::move(const_cast<ClientMessage&>(message).payload)});
    }
}

void SocketSession::join(const ClientMessage& message) {
    const ChannelRoute* found = route(message.topic);
    if (!found) return reply_error(nullptr, message, "unmatched topic");
    if (Member* present = find(message.topic)) replace(*present);
    const Json& join_ref = message.join_ref.is_null() ? message.ref : message.join_ref;
    if (channels_.size() >= options_->limits.max_channels) {
        return reply_error(join_ref, message, "too many channels joined");
    }
    if (!may_join_now()) return reply_error(join_ref, message, "joining too fast");
    start(*found, message);
}

void SocketSession::start(const ChannelRoute& route, const ClientMessage& message) {
    std::unique_ptr<Channel> made = route.make();
    Channel* channel = made.get();
    Topic topic = pubsub::intern(message.topic);
    const Json& join_ref = message.join_ref.is_null() ? message.ref : message.join_ref;
    Result<Pid> pid = detail::spawn_body(*route.type, channel, {});
    made.release();
    channel->attach({.pid = *pid,
                     .socket = socket_,
                     .transport = &transport_,
                     .topic = topic,
                     .join_ref = join_ref,
                     .info = info_});
    channels_.push_back({.topic = std::move(topic),
                         .join_ref = join_ref,
                         .pid = *pid,
                         .channel = channel,
                         .monitor = monitor(*pid),
                         .state = State::joining});
    cast(Ref<Channel>(*pid),
         Channel::DoJoin{std::move(const_cast<ClientMessage&>(message).payload)});
}

void SocketSession::replace(Member& member) {
    demonitor(member.monitor);
    const Pid pid = member.pid;
    if (alive(pid)) member.channel->detach();
    Scratch out;
    encode_close(*out, member.join_ref, member.topic);
    send(*out);
    channels_.erase(channels_.begin() + (&member - channels_.data()));
    retire(pid);
}

void SocketSession::leave(const ClientMessage& message) {
    Member* member = find(message.topic);
    if (!member) {
        Scratch out;
        encode_reply(*out, message.join_ref, message.ref, message.topic, "ok", {});
        send(*out);
        return;
    }
    if (!message.join_ref.is_null() && message.join_ref != member->join_ref) return;
    // The reply to a join comes before that to a leave, and the channel's end tells which of them
    // it was.
    if (member->state == State::joined) member->state = State::leaving;
    cast(Ref<Channel>(member->pid), Channel::Leave{message.ref});
}

void SocketSession::joined(Pid channel) {
    auto member = std::ranges::find(channels_, channel, &Member::pid);
    if (member != channels_.end() && member->state == State::joining) member->state = State::joined;
}

void SocketSession::on_down(const Down& down) {
    auto member = std::ranges::find(channels_, down.monitor, &Member::monitor);
    if (member == channels_.end()) return;
    Scratch out;
    if (member->state == State::joining) {
        if (down.reason.kind() != ExitReason::Kind::normal) {
            encode_reply(*out, member->join_ref, member->join_ref, member->topic, "error",
                         Json::object({{"reason", "join crashed"}}));
        }
    } else if (down.reason.expected()) {
        encode_close(*out, member->join_ref, member->topic);
    } else {
        encode_channel_crash(*out, member->join_ref, member->topic);
    }
    channels_.erase(member);
    if (!out->empty()) send(*out);
}

SocketSession::Member* SocketSession::find(std::string_view topic) {
    for (Member& member : channels_) {
        if (member.state != State::leaving && member.topic == topic) return &member;
    }
    return nullptr;
}

const ChannelRoute* SocketSession::route(std::string_view topic) const {
    for (const ChannelRoute& route : options_->channels) {
        if (topic_matches(route.pattern, topic)) return &route;
    }
    return nullptr;
}

bool SocketSession::may_join_now() {
    const Duration each =
        std::chrono::nanoseconds(std::chrono::seconds(1)) / options_->limits.joins_per_second;
    const Instant at = std::max(join_budget_, now());
    if (at - now() > each * options_->limits.join_burst) return false;
    join_budget_ = at + each;
    return true;
}

void SocketSession::reply_error(const Json& join_ref, const ClientMessage& message,
                                std::string_view reason) {
    if (message.ref.is_null()) return;
    Scratch out;
    encode_reply(*out, join_ref, message.ref, message.topic, "error",
                 Json::object({{"reason", reason}}));
    send(*out);
}

}  // namespace bennu::phoenix
