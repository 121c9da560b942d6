#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "bennu/channel/serializer.hpp"
#include "bennu/channel/socket.hpp"

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
    /// A malformed frame closes the socket with 1011.
    void on_text(std::string_view frame);
    void on_binary(std::string_view frame);
    void on_down(const Down& down);
    void joined(Pid channel);
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
    const ChannelRoute* route(std::string_view topic) const;
    bool may_join_now();
    void reply_error(const Json& join_ref, const ClientMessage& message, std::string_view reason);
    void send(std::string_view frame) { transport_.send_text(socket_, frame); }

    std::shared_ptr<const SocketOptions> options_;
    Shared<SocketInfo> info_;
    const SocketTransport& transport_;
    Pid socket_;
    std::vector<Member> channels_;
    pubsub::Subscription id_;
    Instant join_budget_;  ///< how far ahead of the clock the joins so far are at the allowed rate
};

}  // namespace bennu::phoenix
