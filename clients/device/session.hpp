#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/device/channel.hpp"
#include "clients/device/timing.hpp"

namespace bennu::device {

struct SessionOptions {
    /// After the previous heartbeat was answered; one that is not answered for as long ends the
    /// connection.
    Millis heartbeat = std::chrono::seconds(30);
    Backoff reconnect{
        .delays = {std::chrono::seconds(1), std::chrono::seconds(5), std::chrono::seconds(10)}};
    Backoff rejoin{.delays = {std::chrono::seconds(1), std::chrono::seconds(3),
                              std::chrono::seconds(5), std::chrono::seconds(10)}};
    /// In [0, 1), for the jitter; unset: of the standard library.
    std::function<double()> random{};
};

/// The client's side of the channel protocol without a network or a clock: it is told what happened
/// and when, and says what it wants. Whoever drives it
///  * connects when `wants_connection()`, and tells `opened` or `closed`,
///  * passes frames on with `received`, and sends what `next_frame` gives,
///  * drops the connection when `wants_close()`, and tells `closed`,
///  * calls `tick` not later than `deadline()`.
/// The moments given may be equal, but never go back.
class Session {
  public:
    struct Frame {
        std::string data;
        FrameKind kind;
    };

    explicit Session(SessionOptions options = {});
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// A topic, to be joined with `join()`. One object a topic: asking again gives the same one,
    /// with the options of the first.
    Channel& channel(std::string topic, ChannelOptions options = {});

    void start(Time now);
    /// No connection is wanted any more; an open one is to be closed. Channels stay as they are,
    /// and return with the next `start`.
    void stop(Time now);

    void opened(Time now);
    /// The connection is lost, or could not be made.
    void closed(Time now);
    void received(Time now, std::string_view frame, FrameKind kind);
    void tick(Time now);

    bool wants_connection() const { return state_ == State::connecting; }
    bool wants_close() const { return drop_; }
    bool open() const { return state_ == State::open && !drop_; }
    bool stopped() const { return state_ == State::idle; }
    /// When `tick` has something to do; nothing: not until something happens.
    std::optional<Time> deadline() const;
    /// The next frame to send, as long as there is one.
    std::optional<Frame> next_frame(Time now);
    bool has_frame() const;

    // For the channels.
    Time now() const { return now_; }
    std::string next_ref() { return std::to_string(++refs_); }
    void send(std::string frame) { outgoing_.push_back({std::move(frame), FrameKind::text}); }
    void send_binary(std::string frame) {
        outgoing_.push_back({std::move(frame), FrameKind::binary});
    }
    /// Whether a push should be sent rather than wait: what was made a frame is gone with the
    /// connection, what waits is not.
    bool takes_more() const { return open() && outgoing_.empty(); }
    Millis rejoin_delay(std::size_t tries) { return options_.rejoin.delay(tries, random_()); }

  private:
    enum class State { idle, waiting, connecting, open };
    void heartbeat(Time now);
    void heartbeat_answered(const Message& message);
    /// Channels may be added by the callbacks that run meanwhile.
    template <typename F>
    void each_channel(F f) {
        for (std::size_t i = 0; i < channels_.size(); ++i) f(*channels_[i]);
    }

    SessionOptions options_;
    std::function<double()> random_;
    std::vector<std::unique_ptr<Channel>> channels_;
    std::deque<Frame> outgoing_;
    State state_ = State::idle;
    bool drop_ = false;
    Time now_{0};
    std::uint64_t refs_ = 0;
    std::size_t turn_ = 0;  ///< the channel that may send first
    std::size_t reconnects_ = 0;
    std::optional<Time> connect_at_;
    std::optional<Time> heartbeat_at_;
    std::optional<std::string> heartbeat_ref_;  ///< sent, not answered
};

}  // namespace bennu::device
