#include "bennu/channel/session.hpp"

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"
#include "bennu/channel/scratch.hpp"
#include "bennu/channel/trouble.hpp"

namespace bennu::phoenix {

namespace {

constinit EventName client_slow{"channel.client_slow"};

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
    slow_.reset();
    for (Member& member : members) {
        if (!alive(member.pid)) continue;
        member.channel->detach();
        retire(member.pid);
    }
    // A channel that waits for its client would be stopped only when it is too late.
    release();
}

void SocketSession::on_text(std::string_view frame) {
    ClientMessage message;
    Result<> read =
        transport_.version == Version::v1 ? decode_v1(frame, message) : decode_text(frame, message);
    const bool known = read || read.error().code() == unreadable_payload;
    if (!known) return unreadable(read.error(), message);
    if (!may_send_now(message)) return;
    if (!read) return refuse_payload(read.error(), message);
    dispatch(message);
}

/// One bad message must not end all channels of a socket, whose client would send it again.
void SocketSession::refuse_payload(const Error& why, const ClientMessage& message) {
    if (auto others = bounded(Trouble::unreadable_payload)) {
        log_warning("a message's payload cannot be read: the message is answered with an error",
                    {{"path", options_->path},
                     {"why", excerpt(why.message())},
                     {"topic", excerpt(message.topic)},
                     {"event", excerpt(message.event)},
                     {"others", *others}});
    }
    reply_error(answers_to(message), message, "unreadable payload");
}

void SocketSession::on_binary(std::string_view frame) {
    ClientMessage message;
    if (transport_.version == Version::v1) {
        return unreadable(Error(ErrorKind::invalid, "bad_frame", "V1 has no binary frames"),
                          message);
    }
    if (Result<> read = decode_binary(frame, message); !read) {
        return unreadable(read.error(), message);
    }
    if (may_send_now(message)) dispatch(message);
}

/// What was read before it went wrong says which message it was; the payload stays out of the log.
void SocketSession::unreadable(const Error& why, const ClientMessage& message) {
    if (auto others = bounded(Trouble::unreadable_frame)) {
        log_warning("a frame cannot be read: the socket ends with 1011",
                    {{"path", options_->path},
                     {"why", excerpt(why.message())},
                     {"topic", excerpt(message.topic)},
                     {"event", excerpt(message.event)},
                     {"others", *others}});
    }
    transport_.close(socket_, 1011, why.message());
}

void SocketSession::too_long(std::string_view why) const {
    if (auto others = bounded(Trouble::too_long)) {
        log_warning("a message is longer than the socket takes, which ends with 1009",
                    {{"path", options_->path},
                     {"why", why},
                     {"limit", options_->limits.max_message},
                     {"setting", "SocketLimits::max_message; inflated: compress.max_ratio, too"},
                     {"others", *others}});
    }
}

void SocketSession::dispatch(const ClientMessage& message) {
    if (message.topic == "phoenix" && message.event == "heartbeat") {
        Scratch out;
        encode_reply(*out, transport_.version, nullptr, message.ref, message.topic, "ok", {});
        send(*out);
        return;
    }
    if (message.event == "phx_join") return join(message);
    if (message.event == "phx_leave") return leave(message);
    Member* member = find(message.topic);
    if (!member) {
        // Also what a client sends that does not know yet that its channel ended.
        if (auto others = bounded(Trouble::not_joined)) {
            log_debug("an event on a topic that the socket has not joined",
                      {{"path", options_->path},
                       {"topic", excerpt(message.topic)},
                       {"event", excerpt(message.event)},
                       {"others", *others}});
        }
        return reply_error(nullptr, message, "unmatched topic");
    }
    if (!message.join_ref.is_null() && message.join_ref != member->join_ref) return;
    if (!alive(member->pid)) return;  // its end is on the way
    if (member->channel->waiting() >= options_->limits.max_waiting) {
        if (auto others = bounded(Trouble::overloaded)) {
            log_warning("events come faster than a channel handles them: it refuses some",
                        {{"topic", excerpt(message.topic)},
                         {"event", excerpt(message.event)},
                         {"limit", options_->limits.max_waiting},
                         {"setting", "SocketLimits::max_waiting"},
                         {"others", *others}});
        }
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
             Channel::Incoming(std::move(event),
                               std::move(const_cast<ClientMessage&>(message).payload)));
    }
}

void SocketSession::join(const ClientMessage& message) {
    const ChannelRoute* found = route(message.topic);
    if (!found) {
        if (auto others = bounded(Trouble::unmatched_topic)) {
            log_warning(
                "no channel of the socket takes this topic",
                {{"path", options_->path}, {"topic", excerpt(message.topic)}, {"others", *others}});
        }
        return reply_error(nullptr, message, "unmatched topic");
    }
    // A join that is refused leaves a channel of its topic as it is.
    Member* present = find(message.topic);
    const Json& join_ref = message.join_ref.is_null() ? message.ref : message.join_ref;
    if (!present && channels_.size() >= options_->limits.max_channels) {
        if (auto others = bounded(Trouble::too_many_channels)) {
            log_warning("a socket joins more channels than it may",
                        {{"path", options_->path},
                         {"topic", excerpt(message.topic)},
                         {"limit", options_->limits.max_channels},
                         {"setting", "SocketLimits::max_channels"},
                         {"others", *others}});
        }
        return reply_error(join_ref, message, "too many channels joined");
    }
    if (!may_join_now()) {
        if (auto others = bounded(Trouble::joining_too_fast)) {
            log_warning("a socket joins channels faster than it may",
                        {{"path", options_->path},
                         {"topic", excerpt(message.topic)},
                         {"limit", options_->limits.joins_per_second},
                         {"setting", "SocketLimits::joins_per_second, join_burst"},
                         {"others", *others}});
        }
        return reply_error(join_ref, message, "joining too fast");
    }
    if (present) replace(*present);
    start(*found, message);
}

void SocketSession::start(const ChannelRoute& route, const ClientMessage& message) {
    std::unique_ptr<Channel> made = route.make();
    Channel* channel = made.get();
    Topic topic = pubsub::intern(message.topic);
    const Json& join_ref = message.join_ref.is_null() ? message.ref : message.join_ref;
    Result<Pid> pid = detail::spawn_body(*route.type, made.release(), {});
    channel->attach({.pid = *pid,
                     .socket = socket_,
                     .transport = &transport_,
                     .topic = topic,
                     .join_ref = join_ref,
                     .info = info_,
                     .contract = route.contract});
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
    release();
    forget(member.topic);
    Scratch out;
    encode_close(*out, transport_.version, member.join_ref, member.topic);
    send(*out);
    channels_.erase(channels_.begin() + (&member - channels_.data()));
    retire(pid);
}

void SocketSession::leave(const ClientMessage& message) {
    Member* member = find(message.topic);
    if (!member) {
        Scratch out;
        encode_reply(*out, transport_.version, message.join_ref, message.ref, message.topic, "ok",
                     {});
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
            encode_reply(*out, transport_.version, member->join_ref, member->join_ref,
                         member->topic, "error", Json::object({{"reason", "join crashed"}}));
        }
    } else if (down.reason.expected()) {
        encode_close(*out, transport_.version, member->join_ref, member->topic);
    } else {
        encode_channel_crash(*out, transport_.version, member->join_ref, member->topic);
    }
    forget(member->topic);
    channels_.erase(member);
    if (!out->empty()) send(*out);
}

// --- Slow clients
// ---------------------------------------------------------------------------------

bool SocketSession::hold(const Broadcast& message, std::string frame) {
    if (!slow_) {
        slow_ = std::make_unique<SlowClient>(options_->outbox);
        emit(client_slow, {}, {{"socket", socket_.to_string()}});
    }
    HeldMessage held{message, std::move(frame)};
    if (options_->outbox.policy == OutboxOptions::Policy::coalesce) {
        return slow_->hold(std::move(held));
    }
    // It may be quick again, and wait only for the position of another topic.
    if (!slow_->lost(message.topic()) && !transport_.behind(socket_)) {
        write(held);
    } else {
        slow_->drop(message.topic());
    }
    return true;
}

void SocketSession::write(const HeldMessage& held) {
    if (held.frame.empty()) {
        transport_.write(socket_, held.message);
    } else if (held.message.is_binary()) {
        transport_.send_binary(socket_, held.frame);
    } else {
        send(held.frame);
    }
}

void SocketSession::drained() {
    if (slow_) {
        for (const HeldMessage& held : slow_->take()) write(held);
        // Answers may come at once, and take a topic off the list.
        std::vector<Topic> lost;
        for (const SlowClient::Lost& one : slow_->all_lost()) lost.push_back(one.topic);
        for (const Topic& topic : lost) ask_position(topic);
    }
    rest_if_done();
}

/// A client that caught up costs nothing more.
void SocketSession::rest_if_done() {
    if (slow_ && !slow_->done()) return;
    slow_.reset();
    transport_.caught_up(socket_);
    release();
}

void SocketSession::when_taken(Function<void()> then) {
    aside().awaiting.push_back(std::move(then));
}

/// They all look at the room that there is, and may have to wait again.
void SocketSession::release() {
    if (!awaits_taking()) return;
    auto awaiting = std::exchange(aside_->awaiting, {});
    for (auto& then : awaiting) then();
}

SocketRoom SocketSession::room(bool slow, std::size_t waiting) const {
    const OutboxOptions& outbox = options_->outbox;
    const std::size_t most =
        std::max<std::size_t>(std::min<std::size_t>(outbox.slow_bytes, outbox.max_bytes / 2), 1);
    if (slow || waiting >= most) return {.messages = 0, .bytes = 0};
    return {.bytes = most - waiting};
}

/// Until the position is known, messages of the topic are still dropped: none may come between
/// those that were lost and the event that says so.
void SocketSession::ask_position(const Topic& topic) {
    SlowClient::Lost* lost = slow_ ? slow_->lost(topic) : nullptr;
    if (!lost || std::exchange(lost->asked, true)) return;
    pubsub::resume(topic, std::nullopt,
                   [this, socket = socket_, topic](const pubsub::Resumption& now) {
                       // Of the socket's process, which may have ended.
                       if (alive(socket)) tell_resync(topic, now.position);
                   });
}

void SocketSession::tell_resync(const Topic& topic, const pubsub::Position& position) {
    SlowClient::Lost* lost = slow_ ? slow_->lost(topic) : nullptr;
    if (!lost || !lost->asked) return;
    forget(topic);
    if (const Member* member = find(topic)) {
        Scratch out;
        encode_push(*out, transport_.version, member->join_ref, topic, pubsub::resync_event,
                    pubsub::resync_payload(position));
        send(*out);
        cast(Ref<Channel>(member->pid), Channel::Resynced{});
    }
    // What other topics lost meanwhile; otherwise that is seen to once the client has read this.
    if (!slow_->done() && !transport_.behind(socket_)) return drained();
    rest_if_done();
}

void SocketSession::forget(std::string_view topic) {
    if (slow_) slow_->forget(topic);
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
    const SocketLimits& limits = options_->limits;
    return joins_.spend({.per_second = limits.joins_per_second, .burst = limits.join_burst}, now());
}

/// A refused message is answered, but for a channel that its client gives up: it would go on here.
bool SocketSession::may_send_now(const ClientMessage& message) {
    const SocketLimits& limits = options_->limits;
    const net::Rate rate{.per_second = limits.messages_per_second, .burst = limits.message_burst};
    if (rate.per_second == 0 || aside().messages.spend(rate, now())) return true;
    const Member* member = find(message.topic);
    if (member && message.event == "phx_leave") return true;
    if (auto others = bounded(Trouble::sending_too_fast)) {
        log_warning("a socket sends messages faster than it may",
                    {{"path", options_->path},
                     {"topic", excerpt(message.topic)},
                     {"event", excerpt(message.event)},
                     {"limit", rate.per_second},
                     {"setting", "SocketLimits::messages_per_second, message_burst"},
                     {"others", *others}});
    }
    reply_error(answers_to(message), message, "sending too fast");
    return false;
}

/// The join_ref of an answer to a message that may have none.
const Json& SocketSession::answers_to(const ClientMessage& message) {
    if (!message.join_ref.is_null()) return message.join_ref;
    if (message.event == "phx_join") return message.ref;
    const Member* member = find(message.topic);
    return member ? member->join_ref : message.join_ref;
}

void SocketSession::reply_error(const Json& join_ref, const ClientMessage& message,
                                std::string_view reason) {
    if (message.ref.is_null()) return;
    Scratch out;
    encode_reply(*out, transport_.version, join_ref, message.ref, message.topic, "error",
                 Json::object({{"reason", reason}}));
    send(*out);
}

}  // namespace bennu::phoenix
