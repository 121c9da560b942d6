#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "bennu/channel/session.hpp"
#include "bennu/net/connection_table.hpp"
#include "bennu/web/router.hpp"

namespace bennu::phoenix {

/// What may wait longer than it takes a client to come back from the last answer: it polls as soon
/// as it has that, and what is sent meanwhile does not make it slow.
inline constexpr Duration poll_pause = std::chrono::milliseconds(500);

/// What one poll is answered.
struct PollAnswer {
    std::uint16_t status = 410;
    std::string messages;  ///< JSON strings, with commas between them
};

/// One frame of a POST.
struct PollFrame {
    std::string data;
    bool binary = false;
};

/// A session that polls carry: a process of its own between them. It ends when nobody polls for one
/// and a half windows, when more waits than it may hold, or when the session closes; the client
/// then finds it gone (410) and begins anew.
class PollSocket : public Server {
  public:
    struct Start {
        std::shared_ptr<const SocketOptions> options;
        Shared<SocketInfo> info;
        Version version = Version::v2;
        /// Sees to it that the session ends in time, and with its listener.
        std::shared_ptr<net::ConnectionTable> table;
        /// Of the sessions that there may be at once; `owner` keeps what counts them.
        bennu::detail::RouteUse::Share share;
        std::shared_ptr<const void> owner;
    };
    explicit PollSocket(Start start);

    /// Answered as soon as there is a message: 200; when the window is over: 204; when the session
    /// has ended: 410, or 500 when it was this server's or a malformed frame's fault. A second poll
    /// takes the first one's place (204). While the server stops, messages wait for the end of the
    /// session (in its batch of `net::DrainOptions`) or of the window.
    struct Poll {
        using Reply = PollAnswer;
    };
    /// Frames from the client, in order; 200, 500 when one of them closed the session, or 410. They
    /// are taken a portion a turn, and only while there is room for what they are answered: the
    /// rest waits for the next poll, and so does this reply.
    struct Post {
        using Reply = std::uint16_t;
        std::vector<PollFrame> frames;
    };
    struct Joined {
        Pid channel;
    };
    struct CloseWith {
        std::uint16_t code = 1001;
    };
    struct WindowOver {
        std::uint32_t poll;
    };
    struct Abandoned {};
    struct Drained {};
    /// There may be frames of POSTs to take.
    struct TakeFrames {};
    /// More waited than may, and the client was between two polls.
    struct Pause {
        std::uint32_t poll;
    };

    Task<Result<>> init();
    void handle(Poll, From<PollAnswer> from);
    void handle(Post message, From<std::uint16_t> from);
    void handle(TakeFrames);
    void handle(Joined message) { session_.joined(message.channel); }
    void handle(CloseWith message) { close(message.code); }
    void handle(WindowOver message);
    void handle(Abandoned) { exit_self(); }
    void handle(Drained) { session_.drained(); }
    void handle(Pause message);
    void handle(Down down) { session_.on_down(down); }
    Task<> terminate(ExitReason reason);
    static constexpr MailboxOptions mailbox{.limit = 10'000, .overflow = Overflow::reject};

    /// For the transport; `close` in the process itself.
    void send(std::string_view frame);
    void close(std::uint16_t code);
    void flush();
    /// More waits for the next poll than may.
    bool slow();
    void hold(const Broadcast& message, std::string frame);
    std::size_t queued() const { return queued_; }
    void caught_up() { slow_ = false; }
    SocketRoom room() const;
    void when_taken(Function<void()> then);

  private:
    /// A POST that is not answered yet.
    struct Posted {
        std::vector<PollFrame> frames;
        From<std::uint16_t> from;
        std::size_t taken = 0;
    };

    Duration window() const { return options_->longpoll->window; }
    void answer(std::uint16_t status);
    void rest();
    void overflow();
    void too_much();
    bool full() const;
    void take(const PollFrame& frame);
    void take_frames_soon();
    /// What waits beside the message that the client gets in any case, the largest.
    std::size_t waiting_bytes() const { return outbox_.size() - largest_; }

    std::shared_ptr<const SocketOptions> options_;
    std::shared_ptr<const void> owner_;
    bennu::detail::RouteUse::Share share_;
    SocketSession session_;
    net::ConnectionTable::Entry entry_;
    Ref<PollSocket> self_;
    From<PollAnswer> waiting_;
    TimerId window_over_;
    std::uint32_t polls_ = 0;
    std::string outbox_;  ///< as the answer's `messages` will be
    std::size_t queued_ = 0;
    std::size_t largest_ = 0;
    std::deque<Posted> posts_;
    std::size_t posted_bytes_ = 0;
    std::uint16_t close_code_ = 0;
    bool overflown_ = false;
    bool slow_ = false;
    bool flush_due_ = false;
    bool pausing_ = false;  ///< a `Pause` is on its way
    bool taking_ = false;   ///< a `TakeFrames` is on its way
};

}  // namespace bennu::phoenix
