#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "bennu/channel/serializer.hpp"
#include "bennu/channel/slow_client.hpp"
#include "bennu/channel/socket.hpp"
#include "bennu/net/rate_budget.hpp"

namespace bennu::phoenix {

/// The protocol of one socket, whatever carries its frames: who joined what, and what becomes of
/// it. Its methods run in the socket's process, which monitors the channels. Destroying it stops
/// them.
class SocketSession {
  public:
    SocketSession(std::shared_ptr<const SocketOptions> options, Shared<SocketInfo> info,
                  const SocketTransport& transport);
    ~SocketSession();
    SocketSession(const SocketSession&) = delete;
    SocketSession& operator=(const SocketSession&) = delete;

    /// First of all, once `self()` is the socket's process.
    void open();
    /// A malformed frame closes the socket with 1011; a payload that is JSON but more than we take
    /// is answered with an error.
    void on_text(std::string_view frame);
    void on_binary(std::string_view frame);
    void on_down(const Down& down);
    void joined(Pid channel);
    /// A message for a client that is slow: a broadcast, or a push with its frame. False when more
    /// waits than may: the transport ends the connection.
    bool hold(const Broadcast& message, std::string frame = {});
    /// The client has read everything that the transport had.
    void drained();
    /// Runs `then` when it has; the transport is to say so.
    void when_taken(Function<void()> then);
    bool awaits_taking() const { return aside_ && !aside_->awaiting.empty(); }
    /// Of a transport that has no bounds of its own.
    SocketRoom room(bool slow, std::size_t waiting) const;
    /// The transport got a message that is longer than `limits.max_message`, and closes.
    void too_long(std::string_view why) const;
    /// The client is gone: stops all channels.
    void close();
    std::size_t channels() const { return channels_.size(); }

  private:
    enum class State : std::uint8_t { joining, joined, leaving };
    struct Member {
        Topic topic;
        Json join_ref;
        Pid pid;
        Channel* channel;  ///< valid while the process is alive
        MonitorId monitor;
        State state;
    };
    void dispatch(const ClientMessage& message);
    void join(const ClientMessage& message);
    void leave(const ClientMessage& message);
    void start(const ChannelRoute& route, const ClientMessage& message);
    void replace(Member& member);
    Member* find(std::string_view topic);
    const Json& answers_to(const ClientMessage& message);
    const ChannelRoute* route(std::string_view topic) const;
    bool may_send_now(const ClientMessage& message);
    bool may_join_now();
    void write(const HeldMessage& held);
    void rest_if_done();
    void release();
    void tell_resync(const Topic& topic, const pubsub::Position& position);
    void ask_position(const Topic& topic);
    void forget(std::string_view topic);
    void unreadable(const Error& why, const ClientMessage& message);
    void refuse_payload(const Error& why, const ClientMessage& message);
    void reply_error(const Json& join_ref, const ClientMessage& message, std::string_view reason);
    void send(std::string_view frame) { transport_.send_text(socket_, frame); }

    /// What most sockets never need.
    struct Aside {
        std::vector<Function<void()>> awaiting;  ///< `when_taken`
        net::RateBudget messages;
    };
    Aside& aside() {
        if (!aside_) aside_ = std::make_unique<Aside>();
        return *aside_;
    }

    std::shared_ptr<const SocketOptions> options_;
    Shared<SocketInfo> info_;
    const SocketTransport& transport_;
    Pid socket_;
    std::vector<Member> channels_;
    std::unique_ptr<SlowClient> slow_;  ///< while the client is slow
    std::unique_ptr<Aside> aside_;
    pubsub::Subscription id_;
    net::RateBudget joins_;
};

}  // namespace bennu::phoenix
