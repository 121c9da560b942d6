#include "bennu/channel/longpoll_transport.hpp"

#include "bennu/base/log.hpp"

namespace bennu::phoenix {

namespace {

/// Between them the channels answer.
constexpr std::size_t frames_per_turn = 16;

PollSocket* socket_of(Pid pid) {
    return local_body(Ref<PollSocket>(pid));
}

template <Version V>
std::string text_of(const Broadcast& broadcast) {
    return broadcast_message(V, broadcast);
}

template <Version V>
void write_to(PollSocket& to, const Broadcast& broadcast) {
    to.send(broadcast.encoded(
        V == Version::v1 ? Broadcast::Wire::phoenix_v1_text : Broadcast::Wire::phoenix_v2_text,
        &text_of<V>));
}

template <Version V>
constexpr SocketTransport longpoll_transport{
    .name = "longpoll",
    .version = V,
    .binary = false,
    .send_text =
        [](Pid socket, std::string_view frame) {
            if (PollSocket* to = socket_of(socket)) to->send(frame);
        },
    .send_binary = [](Pid, std::string_view) {},
    .close =
        [](Pid socket, std::uint16_t code, std::string_view) {
            if (PollSocket* to = socket_of(socket)) to->close(code);
        },
    .deliver =
        [](Pid socket, const Broadcast& broadcast) {
            PollSocket* to = socket_of(socket);
            if (!to || broadcast.is_binary()) return;
            if (to->slow()) return to->hold(broadcast, {});
            write_to<V>(*to, broadcast);
        },
    .write =
        [](Pid socket, const Broadcast& broadcast) {
            if (PollSocket* to = socket_of(socket)) write_to<V>(*to, broadcast);
        },
    .deliver_to_id =
        [](Pid socket, const Broadcast& broadcast) {
            if (broadcast.event() != "disconnect") return;
            cast(Ref<PollSocket>(socket), PollSocket::CloseWith{1001});
        },
    .slow =
        [](Pid socket) {
            PollSocket* to = socket_of(socket);
            return to && to->slow();
        },
    .behind =
        [](Pid socket) {
            PollSocket* to = socket_of(socket);
            return to && to->queued() > 0;
        },
    .hold =
        [](Pid socket, const Broadcast& message, std::string frame) {
            if (PollSocket* to = socket_of(socket)) to->hold(message, std::move(frame));
        },
    .caught_up =
        [](Pid socket) {
            if (PollSocket* to = socket_of(socket)) to->caught_up();
        },
    .room =
        [](Pid socket) {
            PollSocket* to = socket_of(socket);
            return to ? to->room() : SocketRoom{};
        },
    .when_taken =
        [](Pid socket, Function<void()> then) {
            if (PollSocket* to = socket_of(socket)) to->when_taken(std::move(then));
        },
    .joined = [](Pid socket,
                 Pid channel) { cast(Ref<PollSocket>(socket), PollSocket::Joined{channel}); },
};

}  // namespace

PollSocket::PollSocket(Start start)
    : options_(start.options),
      owner_(std::move(start.owner)),
      share_(std::move(start.share)),
      session_(std::move(start.options), std::move(start.info),
               start.version == Version::v1 ? longpoll_transport<Version::v1>
                                            : longpoll_transport<Version::v2>),
      entry_(std::move(start.table), [](Pid pid) { cast(Ref<PollSocket>(pid), Abandoned{}); }) {}

Task<Result<>> PollSocket::init() {
    self_ = Ref<PollSocket>(self());
    entry_.set_connection(self());
    rest();
    session_.open();
    co_return {};
}

/// Until the next poll.
void PollSocket::rest() {
    entry_.set_deadline(now() + window() * 3 / 2);
}

void PollSocket::handle(Poll, From<PollAnswer> from) {
    if (waiting_) answer(204);
    ++polls_;
    waiting_ = std::move(from);
    if (queued_ > 0 && !entry_.draining()) return answer(200);
    if (close_code_ != 0) return close(close_code_);
    entry_.clear_deadline();
    window_over_ = send_after(self_, WindowOver{polls_}, window());
}

void PollSocket::handle(WindowOver message) {
    // The timer may have fired just before it was cancelled.
    if (waiting_ && message.poll == polls_) answer(queued_ > 0 ? 200 : 204);
}

void PollSocket::handle(Post message, From<std::uint16_t> from) {
    if (close_code_ != 0) return from.reply(410);
    for (const PollFrame& frame : message.frames) posted_bytes_ += frame.data.size();
    posts_.push_back({std::move(message.frames), std::move(from)});
    // Somebody posts and posts, and does not poll.
    if (posts_.size() > 1 && posted_bytes_ > options_->outbox.max_bytes) return overflow();
    if (!taking_) handle(TakeFrames{});
}

void PollSocket::handle(TakeFrames) {
    taking_ = false;
    // An answer is taken to be as long as its question, until it is there.
    std::size_t frames = 0;
    for (std::size_t bytes = 0; !posts_.empty();) {
        Posted& post = posts_.front();
        const bool done = post.taken == post.frames.size();
        const SocketRoom left = room();
        if (close_code_ != 0 || done) {
            post.from.reply(close_code_ == 0 ? 200 : post.taken > 0 ? 500 : 410);
            posts_.pop_front();
        } else if (!left.any()) {
            return;  // until the next poll
        } else if (frames == frames_per_turn || bytes > left.bytes) {
            return take_frames_soon();
        } else {
            ++frames;
            bytes += post.frames[post.taken].data.size();
            take(post.frames[post.taken++]);
        }
    }
}

void PollSocket::take(const PollFrame& frame) {
    posted_bytes_ -= frame.data.size();
    if (frame.data.size() > options_->limits.max_message) {
        session_.too_long("a frame of a POST");
        close(1009);
    } else if (frame.binary) {
        session_.on_binary(frame.data);
    } else {
        session_.on_text(frame.data);
    }
}

void PollSocket::take_frames_soon() {
    if (posts_.empty() || std::exchange(taking_, true)) return;
    // In the next turn: the channels answer in this one.
    at_turn_end([ref = self_] { cast(ref, TakeFrames{}); });
}

/// More than may wait for longer than a client needs to come back.
bool PollSocket::full() const {
    const LongPollOptions& limits = *options_->longpoll;
    return queued_ > limits.max_queued || waiting_bytes() > limits.max_queued_bytes;
}

bool PollSocket::slow() {
    if (options_->outbox.policy == OutboxOptions::Policy::disconnect) return false;
    const LongPollOptions& limits = *options_->longpoll;
    const bool no_more =
        queued_ > 0 && (queued_ >= limits.max_queued || waiting_bytes() >= limits.max_queued_bytes);
    if (no_more && waiting_) {
        // Only within this turn: the client is there.
        answer(200);
    } else {
        slow_ = slow_ || no_more;
    }
    return slow_;
}

SocketRoom PollSocket::room() const {
    const LongPollOptions& limits = *options_->longpoll;
    // As strings in JSON they become longer.
    const std::size_t bytes = std::max<std::size_t>(limits.max_queued_bytes / 2, 1);
    const std::size_t messages = std::max<std::size_t>(limits.max_queued, 1);
    if (slow_ || queued_ >= messages || outbox_.size() >= bytes) return {.messages = 0, .bytes = 0};
    return {.messages = messages - queued_, .bytes = bytes - outbox_.size()};
}

void PollSocket::when_taken(Function<void()> then) {
    if (close_code_ != 0 || overflown_) return;
    session_.when_taken(std::move(then));
    if (queued_ == 0) cast(self_, Drained{});
}

void PollSocket::hold(const Broadcast& message, std::string frame) {
    if (close_code_ != 0 || overflown_) return;
    if (!session_.hold(message, std::move(frame))) overflow();
}

void PollSocket::overflow() {
    log_warning("a slow client of long polling is disconnected",
                {{"pid", self_.pid().to_string()}, {"queued", queued_}});
    overflown_ = true;
    outbox_ = {};
    queued_ = 0;
    largest_ = 0;
    // Not from here: the caller may be in the middle of a fan-out.
    cast(self_, CloseWith{1008});
}

void PollSocket::send(std::string_view frame) {
    if (close_code_ != 0 || overflown_) return;
    const std::size_t before = outbox_.size();
    if (queued_++ > 0) outbox_ += ',';
    append_json_string(outbox_, frame);
    largest_ = std::max(largest_, outbox_.size() - before);
    if (full()) [[unlikely]]
        return too_much();
    if (!waiting_ || std::exchange(flush_due_, true)) return;
    // What is sent within one turn leaves in one answer.
    at_turn_end([ref = self_] {
        if (PollSocket* socket = local_body(ref)) socket->flush();
    });
}

/// The bounds are those of what waits while nobody takes it.
void PollSocket::too_much() {
    if (waiting_) return answer(200);
    if (waiting_bytes() > options_->outbox.max_bytes) return overflow();
    // Under the other policies it is the session that keeps to the bounds; what it has to say in
    // any case may go beyond them.
    if (options_->outbox.policy != OutboxOptions::Policy::disconnect) return;
    if (!std::exchange(pausing_, true)) send_after(self_, Pause{polls_}, poll_pause);
}

void PollSocket::handle(Pause message) {
    pausing_ = false;
    if (!full() || close_code_ != 0) return;
    if (message.poll == polls_) return overflow();
    // It has been here since, and took what waited then.
    pausing_ = true;
    send_after(self_, Pause{polls_}, poll_pause);
}

void PollSocket::flush() {
    flush_due_ = false;
    // Nobody listens to the poll after this one while the server stops: what waits goes out with
    // the session's own end, so that clients come back in batches.
    if (waiting_ && queued_ > 0 && !entry_.draining()) answer(200);
}

void PollSocket::answer(std::uint16_t status) {
    cancel_timer(window_over_);
    PollAnswer said{.status = status};
    if (status == 200) {
        said.messages = std::exchange(outbox_, {});
        queued_ = 0;
        largest_ = 0;
        if (slow_ || session_.awaits_taking()) cast(self_, Drained{});
        take_frames_soon();
    }
    waiting_.reply(std::move(said));
    rest();
}

/// The client is told when it polls, after everything that was sent before.
void PollSocket::close(std::uint16_t code) {
    if (close_code_ == 0) session_.close();
    close_code_ = code;
    take_frames_soon();
    if (!waiting_) return;
    if (queued_ > 0) return answer(200);
    answer(code == 1011 ? 500 : 410);
    exit_self();
}

Task<> PollSocket::terminate(ExitReason) {
    close(1012);
    co_return;
}

}  // namespace bennu::phoenix
