#pragma once

#include <deque>
#include <optional>

#include "bennu/channel/session.hpp"
#include "bennu/channel/testing.hpp"

namespace bennu::phoenix {

/// The process behind a ChannelTest: a session whose frames stay in memory.
class TestSocket : public Server {
  public:
    TestSocket(std::shared_ptr<const SocketOptions> options, Shared<SocketInfo> info,
               Version version);

    /// How long a test waits for a frame.
    static constexpr Duration patience = std::chrono::seconds(1);

    struct FromClient {
        std::string frame;
        bool binary = false;
    };
    struct Take {
        using Reply = ChannelTest::Frame;
        std::string event;  ///< empty: any
        std::string topic;  ///< empty: any
        std::string ref;    ///< empty: any
        bool matches(const ChannelTest::Frame& frame) const;
    };
    struct Joined {
        Pid channel;
    };
    struct Closed {
        using Reply = std::uint16_t;
    };
    Task<Result<>> init();
    void handle(FromClient message);
    void handle(Take take, From<ChannelTest::Frame> from);
    void handle(Joined message) { session_.joined(message.channel); }
    std::uint16_t handle(Closed) { return close_code_; }
    void handle(Down down) { session_.on_down(down); }

    void receive(ChannelTest::Frame frame);
    void close(std::uint16_t code);

  private:
    struct Waiting {
        Take take;
        From<ChannelTest::Frame> from;
        Instant until;  ///< nobody listens any more
    };
    SocketSession session_;
    std::deque<ChannelTest::Frame> frames_;
    std::vector<Waiting> waiting_;
    std::uint16_t close_code_ = 0;
};

/// A frame from the server, as a client reads it. Not for untrusted input: a malformed one is a
/// fault.
ChannelTest::Frame read_server_text(std::string_view frame);
ChannelTest::Frame read_server_binary(std::string_view frame);

}  // namespace bennu::phoenix
