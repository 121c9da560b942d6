#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/device/message.hpp"
#include "clients/device/position.hpp"
#include "clients/device/timing.hpp"

namespace bennu::device {

/// What became of a push.
enum class Outcome {
    replied,    ///< `status` and `response` are the server's
    timed_out,  ///< sent, and no answer in time
    lost,       ///< sent, and the connection or the channel was lost before an answer: it may have
                ///< arrived or not
    dropped,    ///< never sent: pushed out of the full queue by a newer one
    left,       ///< the channel was left or closed before an answer
};

struct Reply {
    Outcome outcome = Outcome::replied;
    std::string_view status{};    ///< `ok`, `error`, or another word of the app
    std::string_view response{};  ///< raw JSON, or bytes; like the status valid in the callback

    bool ok() const { return outcome == Outcome::replied && status == "ok"; }
};
using OnReply = std::function<void(const Reply&)>;

/// What waits while the channel is not joined, or the network is slower than the app.
struct QueueOptions {
    enum class Overflow {
        reject,       ///< the new push is refused
        drop_oldest,  ///< the oldest that waits makes room
    };
    std::size_t pushes = 100;
    std::size_t bytes = 256 * 1024;
    Overflow overflow = Overflow::reject;
};

enum class PushResult {
    accepted,  ///< it waits, for the next step or longer
    full,      ///< the queue is full, or the push larger than all of it
    invalid,   ///< the payload is no JSON, or a name of a binary push too long
    closed,    ///< the channel was never joined, or left, or closed by the server
};

/// (Members of options have a `{}`, so that no compiler warns of what a caller leaves out.)
struct ChannelOptions {
    /// The join's params, a JSON object, asked for at each join. Unset: `{}`. A join with something
    /// else is not sent but refused here: `on_refused` with the reason `invalid_params`.
    std::function<std::string()> params{};
    /// The topic is durable: what is missed while the connection is lost follows, or `on_resync`
    /// says that it cannot.
    bool resume = false;
    /// Where to go on from, kept from an earlier run.
    Position position{};
    QueueOptions queue{};
    /// From when a push was sent; also for the join itself.
    Millis reply_timeout = std::chrono::seconds(10);

    /// Each accepted join; `response` is raw JSON.
    std::function<void(std::string_view response, Continuation)> on_join{};
    /// A refused join, which is tried again by and by unless the channel is left.
    std::function<void(std::string_view response)> on_refused{};
    /// Messages were missed that cannot be given: read the state anew. Comes with `resume`, and on
    /// any topic when the server dropped what this client did not read in time.
    std::function<void()> on_resync{};
    /// An event; the payload is raw JSON.
    std::function<void(std::string_view event, std::string_view payload)> on_event{};
    /// An event with bytes.
    std::function<void(std::string_view event, std::string_view bytes)> on_binary{};
    /// Not joined any more: the connection is lost or the channel crashed; it comes back by itself.
    std::function<void()> on_lost{};
    /// The server has closed the channel for good; `join` would begin anew.
    std::function<void()> on_closed{};
};

class Session;

/// One topic. Belongs to its Session, which outlives every use of it. All calls come from the
/// thread that drives the session; callbacks may call anything here.
class Channel {
  public:
    Channel(Session& session, std::string topic, ChannelOptions options);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    /// Joins with the next step, or as soon as there is a connection, and again whenever it was
    /// lost.
    void join();
    /// Nothing is heard from now on; pushes that wait end with `Outcome::left`.
    void leave();

    /// Pushes an event; `payload` is JSON. While the channel is not joined the push waits in the
    /// queue, however long; after the join everything is sent in the order of the calls.
    PushResult push(std::string_view event, std::string_view payload = "{}", OnReply on_reply = {});
    PushResult push_binary(std::string_view event, std::string_view bytes, OnReply on_reply = {});

    const std::string& topic() const { return topic_; }
    bool joined() const { return state_ == State::joined; }
    /// Pushes that wait.
    std::size_t waiting() const { return queue_.size(); }
    /// What was seen of a durable topic.
    const Position& position() const { return position_; }

  private:
    friend class Session;
    enum class State { idle, offline, joining, joined, errored };
    struct Queued {
        std::string event;
        std::string payload;
        OnReply on_reply;
        bool binary;
    };
    struct Unanswered {
        std::string ref;
        Time deadline;
        OnReply on_reply;
    };

    // Called by the session.
    void connected();
    void disconnected();
    void received(const Message& message);
    void tick(Time now);
    std::optional<Time> deadline() const;
    bool has_frame() const;
    /// Sends the oldest that waits.
    void flush_one();

    PushResult enqueue(Queued push);
    bool fits(const Queued& push) const;
    void send_join();
    void join_answered(const Message& message);
    void answered(const Message& message);
    void event(const Message& message);
    void lost();
    void closed();
    void rejoin_later();
    void end_unanswered(Outcome outcome);

    Session& session_;
    std::string topic_;
    ChannelOptions options_;
    Position position_;
    bool was_here_;  ///< in a durable topic: a join asks for what it missed
    State state_ = State::idle;
    std::string join_ref_;
    std::optional<Time> join_deadline_;
    std::optional<Time> rejoin_at_;
    std::size_t rejoins_ = 0;
    std::deque<Queued> queue_;
    std::size_t queued_bytes_ = 0;
    std::vector<Unanswered> unanswered_;
};

}  // namespace bennu::device
