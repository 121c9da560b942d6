#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bennu/channel/socket.hpp"

namespace bennu {

namespace phoenix {
class TestSocket;
}

/// A client of a socket without a network: for tests of channels, in the simulator or on real
/// shards. Its methods run in a process.
///
///     ChannelTest client = *co_await ChannelTest::connect(options);
///     auto joined = co_await client.join("room:1");
///     auto answer = co_await client.push("room:1", "echo", Json::object({{"n", 1}}));
///     EXPECT_EQ(answer.status, "ok");
///     auto shout = co_await client.next("shout");
class ChannelTest {
  public:
    /// A frame from the server.
    struct Frame {
        Json join_ref;
        Json ref;
        std::string topic;
        std::string event;  ///< `presence_state`, `phx_close`, …; `phx_reply` for answers
        Json payload;
        std::string data;  ///< of a binary frame
        std::string text;  ///< the raw frame
    };
    /// What came back on a push; status `timeout` when nothing did within a second.
    struct Answer {
        std::string status;
        Json response;
        std::string data;
    };

    /// As a client that opens the socket; the error is that of the `connect` callback. Handshake
    /// and origin checks are the router's and not part of this. With `vsn` 1.0.0 among the params
    /// the server's frames are those of V1, and only raw ones can be sent.
    static Task<Result<ChannelTest>> connect(std::shared_ptr<const SocketOptions> options,
                                             ConnectRequest request = {});

    Task<Answer> join(std::string topic, Json params = Json::object());
    Task<Answer> push(std::string topic, std::string event, Json payload = Json::object());
    Task<Answer> push_binary(std::string topic, std::string event, std::string data);
    Task<Answer> leave(std::string topic);
    /// Sends a raw frame.
    void send_text(std::string frame);
    void send_binary(std::string frame);
    /// Goes away, as a lost connection does.
    void disconnect();

    /// The oldest frame with that event (and topic) that was not taken yet, or the next to come
    /// within a second.
    Task<Result<Frame>> next(std::string event, std::string topic = {});
    /// Any frame.
    Task<Result<Frame>> next();
    /// The close code that the server sent; 0 while open.
    Task<std::uint16_t> closed();
    /// The process that stands for the socket.
    Pid pid() const { return socket_.pid(); }

  private:
    explicit ChannelTest(Ref<phoenix::TestSocket> socket) : socket_(socket) {}
    std::string next_ref() { return std::to_string(++refs_); }
    std::string join_ref(std::string_view topic) const;
    Task<Answer> answer(std::string ref);

    Ref<phoenix::TestSocket> socket_;
    std::uint64_t refs_ = 0;
    std::vector<std::pair<std::string, std::string>> joined_;  // topic, join_ref
};

}  // namespace bennu
