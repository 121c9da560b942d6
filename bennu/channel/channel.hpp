#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bennu/channel/event_handler.hpp"
#include "bennu/channel/reply.hpp"
#include "bennu/channel/transport.hpp"
#include "bennu/pubsub/presence.hpp"
#include "bennu/pubsub/pubsub.hpp"
#include "bennu/runtime/process.hpp"

namespace bennu {

/// One client's part in one topic: a process of its own on the socket's shard. Its handlers run one
/// at a time; a slow one delays only this channel. A fault gives the client `phx_error` (it rejoins
/// by itself) and ends nothing else.
///
///     struct RoomChannel : Channel {
///         Task<Join> join(Topic topic, Json params) override { co_return Join::ok(); }
///         Task<Reply> handle_in(Event event, Json payload) override {
///             if (event == "shout") {
///                 broadcast("shout", payload);
///                 co_return Reply::none();
///             }
///             co_return unknown(event);
///         }
///     };
///
/// Members are the channel's state. Own messages are structs with a `handle(Message)`, as in any
/// Server: `cast(channel.ref_as<RoomChannel>(), Message{})`.
class Channel : public Server {
  public:
    Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    virtual ~Channel();

    /// Decides whether the client may join. What it pushes waits meanwhile. Refused: the client
    /// gets the error, and this process ends.
    virtual Task<Join> join(Topic topic, Json params) = 0;
    /// Runs once the client knows that it joined: the place to `track` and to
    /// `push_presence_state`.
    virtual Task<> after_join();
    /// An event from the client. The default (and `unknown`) answers `{"reason": "unknown event
    /// NAME"}`. A channel with `types()` has a handler for each event in its place
    /// (`channel/channel_types.hpp`).
    virtual Task<Reply> handle_in(Event event, Json payload);
    /// An event with a binary payload.
    virtual Task<Reply> handle_binary(Event event, Bytes data);
    /// The events of this topic's broadcasts that go to `handle_out` instead of straight to the
    /// client. Constant per type.
    virtual std::span<const std::string_view> intercept() const { return {}; }
    /// An intercepted broadcast: `push` it, change it, or drop it. The default pushes it. Of a
    /// durable topic, the first push carries the message's place on, so that the client has seen
    /// it; what a client missed comes through here, too.
    virtual Task<> handle_out(Broadcast message);
    /// A broadcast on another topic that this channel subscribed to with `subscribe`. The default
    /// drops it.
    virtual Task<> handle_info(Broadcast message);
    /// A process that this channel monitors ended.
    virtual Task<> handle_down(Down down);
    /// The client left, the socket is gone, or the channel was stopped; not after a fault. At most
    /// 5 s.
    virtual Task<> terminate(ExitReason reason);

    const Topic& topic() const { return topic_; }
    /// What the socket's `connect` returned.
    const Json& assigns() const;
    std::string_view socket_id() const;

    /// The calls below are for the channel's own code, in its process.
    ///
    /// To this client only. Bytes reach clients over a WebSocket with V2 frames; for others they
    /// are dropped and logged (a reply becomes an error).
    void push(std::string_view event, const Payload& payload = {});
    /// To every subscriber of the topic, this client included.
    void broadcast(std::string_view event, const Payload& payload = {});
    /// To every subscriber but this client. (On a durable topic, a client that resumes is another
    /// one: it may get what it sent itself before it went away.)
    void broadcast_from(std::string_view event, const Payload& payload = {});
    /// For an answer that comes later: keep it, `co_return Reply::none()`, and call `reply` once.
    ReplyRef later(const Event& event) const;
    void reply(const ReplyRef& ref, const Reply& reply);
    /// For an event that it does not have: the client gets an error, and the log a line.
    Reply unknown(const Event& event) const;

    /// Broadcasts on another topic come to `handle_info` until this channel ends.
    void subscribe(const Topic& topic);
    void unsubscribe(const Topic& topic);
    /// Enters this channel into its topic's presence until it ends; again with the same key:
    /// replaces the meta.
    void track(std::string_view key, const Json& meta = Json::object());
    template <Record T>
    void track(std::string_view key, const T& meta) {
        track(key, to_json_value(meta));
    }
    void untrack(std::string_view key);
    /// Pushes `presence_state`, which clients expect once after each join. A client that was slow
    /// and lost messages gets it again by itself.
    void push_presence_state();

    Pid pid() const { return pid_; }
    template <typename C>
    Ref<C> ref_as() const {
        return Ref<C>(pid_);
    }

    /// For the session, which starts channels and passes messages on.
    struct Attachment {
        Pid pid;
        Pid socket;
        const SocketTransport* transport;
        Topic topic;
        Json join_ref;
        Shared<SocketInfo> info;
        const detail::ChannelContract* contract = nullptr;
    };
    struct DoJoin {
        Json params;
    };
    /// Too long for a message's own bytes; from the pool, since there is one for each event.
    struct Incoming : detail::Pooled {
        Incoming(Event event, Json payload)
            : event(std::move(event)), payload(std::move(payload)) {}
        Event event;
        Json payload;
    };
    struct IncomingBinary {
        Event event;
        Bytes data;
    };
    struct Leave {
        Json ref;
    };
    struct Intercepted {
        Broadcast broadcast;
    };
    /// Intercepted, too: what the client missed.
    struct Missed {
        std::vector<Broadcast> broadcasts;
    };
    /// The client was told to read its state anew.
    struct Resynced {};
    struct Info {
        Broadcast broadcast;
    };
    void attach(Attachment attachment);
    /// Events that wait in the mailbox.
    std::uint32_t& waiting() { return waiting_; }
    /// Ends all delivery to the client at once; what the channel still sends is dropped.
    void detach();
    Task<> handle(DoJoin message);
    Task<> handle(Incoming message);
    Task<> handle(IncomingBinary message);
    void handle(Leave message);
    Task<> handle(Intercepted message);
    Task<> handle(Missed message);
    void handle(Resynced);
    Task<> handle(Info message);
    Task<> handle(Down down);
    Task<> finish(ExitReason reason);
    static constexpr MailboxOptions mailbox{.limit = 10'000, .overflow = Overflow::reject};

  private:
    struct Extras;
    struct Rest;
    class Begin;
    class Taken;
    Task<> catch_up(std::optional<pubsub::Position> seen, Payload response);
    std::optional<Rest> begin(pubsub::Resumption told, const Payload& response);
    std::size_t fitting(const std::vector<Broadcast>& messages) const;
    class Told;
    void accept(const Payload& response);
    void listen();
    Task<> pass_on(Broadcast message);
    void write(std::string_view event, const Payload& payload);
    void push_in_place(std::string_view event, const Payload& payload);
    void answer(const Json& ref, std::string_view status, const Payload& response);
    const detail::EventHandler* handler(std::string_view event) const;
    std::optional<Join> refuse_params(Json& params) const;
    void check_sends(std::string_view event) const;
    void check_broadcasts(std::string_view event) const;
    Task<Reply> take(Event&& event, Json&& payload);
    Task<Reply> take_binary(Event&& event, Bytes&& data);
    void conclude(const Json& ref, const Reply& reply);
    bool takes_binary(std::string_view event) const;
    ReplyRef place(const Json& ref) const;
    Extras& extras();

    bool joined_ = false;
    bool shows_presence_ = false;  ///< the client has a state to keep
    std::uint32_t waiting_ = 0;
    Pid pid_;
    Pid socket_;  ///< nobody once detached
    const SocketTransport* transport_ = nullptr;
    const detail::ChannelContract* contract_ = nullptr;
    Topic topic_;
    Json join_ref_;
    Shared<SocketInfo> info_;
    pubsub::Subscription subscription_;
    std::unique_ptr<Extras>
        extras_;  ///< what few channels have: further subscriptions, presence entries
};

}  // namespace bennu
