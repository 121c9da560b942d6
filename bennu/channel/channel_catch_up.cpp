// How a channel begins to hear its topic: with what its client missed of a durable one.
#include "bennu/channel/channel.hpp"
#include "bennu/pubsub/mark.hpp"

namespace bennu {

namespace {

/// The app's answer with `resume` beside what it says; bytes and what is no object stay as they
/// are.
Payload with_resume(const Payload& response, const pubsub::Resumption& told) {
    if (response.is_binary()) return response;
    std::string text;
    response.write(text);
    std::optional<std::string> object = pubsub::object_without(std::move(text), "resume");
    if (!object) return response;
    pubsub::append_member(
        *object, "resume",
        to_json(Json::object({{"status", pubsub::to_string(told.kind)},
                              {"position", pubsub::to_json_value(told.position)}})));
    return Payload::from_text(*std::move(object));
}

void intercept_broadcast(Pid to, const Broadcast& broadcast) {
    // A durable message must not get lost in silence: the client joins again and resumes.
    detail::Process* process = detail::Shard::current()->find(to);
    if (process && broadcast.mark() && process->mailbox >= Channel::mailbox.limit) {
        kill(to, "more broadcasts wait for handle_out than the channel has room for");
        return;
    }
    cast(Ref<Channel>(to), Channel::Intercepted{broadcast});
}

}  // namespace

/// What a client has been given of what it missed, when that is not all.
struct Channel::Rest {
    pubsub::Position position;   ///< where it stands then
    std::vector<Broadcast> now;  ///< of an intercepted topic: what the channel is to give it
};

/// Waits until the owner of a durable topic has said what the client missed, and it has been given
/// that; nothing remains: the channel has begun with exactly that.
class Channel::Begin : detail::Answer<std::optional<Channel::Rest>> {
  public:
    Begin(Channel& channel, std::optional<pubsub::Position> seen, const Payload& response)
        : channel_(channel), seen_(std::move(seen)), response_(response) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        pubsub::resume(channel_.topic_, std::move(seen_),
                       [reply = begin(coroutine, Instant::max()), channel = &channel_,
                        pid = channel_.pid_, response = response_](pubsub::Resumption told) {
                           if (!alive(pid)) return;
                           detail::send_reply(reply, channel->begin(std::move(told), response));
                       });
    }
    std::optional<Rest> await_resume() {
        release();
        return std::move(*value);
    }

  private:
    Channel& channel_;
    std::optional<pubsub::Position> seen_;
    const Payload& response_;
};

/// Waits until the client has taken what was sent.
class Channel::Taken : detail::Answer<detail::Unit> {
  public:
    explicit Taken(const Channel& channel) : channel_(channel) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        channel_.transport_->when_taken(channel_.socket_,
                                        [reply = begin(coroutine, Instant::max())] {
                                            detail::send_reply(reply, detail::Unit{});
                                        });
    }
    void await_resume() { release(); }

  private:
    const Channel& channel_;
};

/// The client gets what is broadcast from now on.
void Channel::listen() {
    if (intercept().empty()) {
        subscription_ = pubsub::subscribe_fastlane(topic_, pid_, socket_, transport_->deliver);
    } else {
        subscription_ = pubsub::detail::subscribe(topic_, pid_, pid_, &intercept_broadcast);
    }
}

/// Gives a client what it missed, as it takes it: what there is no room for stays in the topic's
/// log, which keeps it once for all, and is asked for again.
Task<> Channel::catch_up(std::optional<pubsub::Position> seen, Payload response) {
    while (std::optional<Rest> rest = co_await Begin(*this, std::move(seen), response)) {
        for (Broadcast& missed : rest->now) co_await pass_on(std::move(missed));
        seen = std::move(rest->position);
        if (socket_) co_await Taken(*this);
    }
}

/// Outside of the channel's process, between two broadcasts of its topic.
std::optional<Channel::Rest> Channel::begin(pubsub::Resumption told, const Payload& response) {
    if (!socket_) return std::nullopt;
    if (!joined_) {
        accept(with_resume(response, told));
    } else if (told.kind == pubsub::Resumption::Kind::resync) {
        // The rest of what it missed is not kept any more.
        write(pubsub::resync_event, pubsub::resync_payload(told.position));
    }
    const std::size_t now = fitting(told.missed);
    const bool all = now == told.missed.size();
    Rest rest{.position = std::move(told.position), .now = {}};
    for (std::size_t n = 0; n < now; ++n) {
        const Mark& mark = told.missed[n].mark();
        rest.position[mark.epoch] = mark.sequence;
        if (intercept().empty()) transport_->deliver(socket_, told.missed[n]);
    }
    if (!intercept().empty()) {
        told.missed.resize(now);
        if (all && now > 0) cast(Ref<Channel>(pid_), Missed{std::move(told.missed)});
        if (!all) rest.now = std::move(told.missed);
    }
    if (!all) return rest;
    listen();
    return std::nullopt;
}

std::size_t Channel::fitting(const std::vector<Broadcast>& messages) const {
    const SocketRoom room = transport_->room(socket_);
    std::size_t count = 0;
    for (std::size_t bytes = 0;
         count < messages.size() && count < room.messages && bytes < room.bytes; ++count)
        bytes += messages[count].data().size();
    return count;
}

}  // namespace bennu
