#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

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
    /// NAME"}`.
    virtual Task<Reply> handle_in(Event event, Json payload);
    /// An event with a binary payload.
    virtual Task<Reply> handle_binary(Event event, Bytes data);
    /// The events of this topic's broadcasts that go to `handle_out` instead of straight to the
    /// client. Constant per type.
    virtual std::span<const std::string_view> intercept() const { return {}; }
    /// An intercepted broadcast: `push` it, change it, or drop it. The default pushes it.
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
    /// To this client only.
    void push(std::string_view event, const Payload& payload = {});
    /// To every subscriber of the topic, this client included.
    void broadcast(std::string_view event, const Payload& payload = {});
    /// To every subscriber but this client.
    void broadcast_from(std::string_view event, const Payload& payload = {});
    /// For an answer that comes later: keep it, `co_return Reply::none()`, and call `reply` once.
    ReplyRef later(const Event& event) const;
    void reply(const ReplyRef& ref, const Reply& reply);
    static Reply unknown(const Event& event);

    /// Broadcasts on another topic come to `handle_info` until this channel ends.
    void subscribe(const Topic& topic);
    void unsubscribe(const Topic& topic);
    /// Enters this channel into its topic's presence until it ends; again with the same key:
    /// replaces the meta.
    void track(std::string_view key, const Json& meta = Json::object());
    void untrack(std::string_view key);
    /// Pushes `presence_state`, which clients expect once after each join.
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
    };
    struct DoJoin {
        Json params;
    };
    struct Incoming {
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
    Task<> handle(Info message);
    Task<> handle(Down down);
    Task<> finish(ExitReason reason);
    static constexpr MailboxOptions mailbox{.limit = 10'000, .overflow = Overflow::reject};

  private:
    struct Extras;
    void answer(const Json& ref, std::string_view status, const Payload& response);
    void conclude(const Json& ref, const Reply& reply);
    ReplyRef place(const Json& ref) const;
    Extras& extras();

    bool joined_ = false;
    std::uint32_t waiting_ = 0;
    Pid pid_;
    Pid socket_;  ///< nobody once detached
    const SocketTransport* transport_ = nullptr;
    Topic topic_;
    Json join_ref_;
    Shared<SocketInfo> info_;
    pubsub::Subscription subscription_;
    std::unique_ptr<Extras>
        extras_;  ///< what few channels have: further subscriptions, presence entries
};

}  // namespace bennu
