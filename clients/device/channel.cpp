#include "clients/device/channel.hpp"

#include <algorithm>

#include "clients/device/json_scan.hpp"
#include "clients/device/session.hpp"

namespace bennu::device {

namespace {

/// More than that are not under way without an answer; the others wait in the queue.
constexpr std::size_t most_unanswered = 256;

std::size_t size_of(std::string_view event, std::string_view payload) {
    return event.size() + payload.size();
}

constexpr std::string_view invalid_params =
    R"({"reason":"invalid_params","message":"ChannelOptions::params gave no JSON object"})";

/// The server's word that it dropped messages; an app's own event of that name has no position.
std::optional<std::string_view> resync_position(const Message& message) {
    if (message.event != "resync") return std::nullopt;
    const auto position = json_member(message.payload, "position");
    return position && is_json_object(*position) ? position : std::nullopt;
}

template <typename F, typename... A>
void tell(const F& callback, A&&... arguments) {
    if (callback) callback(std::forward<A>(arguments)...);
}

}  // namespace

Channel::Channel(Session& session, std::string topic, ChannelOptions options)
    : session_(session),
      topic_(std::move(topic)),
      options_(std::move(options)),
      position_(options_.position),
      was_here_(!position_.empty()) {}

void Channel::join() {
    if (state_ != State::idle) return;
    state_ = State::offline;
}

void Channel::leave() {
    if (state_ == State::idle) return;
    if (session_.open() && (state_ == State::joined || state_ == State::joining)) {
        session_.send(write_text_frame(join_ref_, session_.next_ref(), topic_, "phx_leave", "{}"));
    }
    closed();
}

PushResult Channel::push(std::string_view event, std::string_view payload, OnReply on_reply) {
    if (!is_json(payload)) return PushResult::invalid;
    return enqueue({std::string(event), std::string(payload), std::move(on_reply), false});
}

PushResult Channel::push_binary(std::string_view event, std::string_view bytes, OnReply on_reply) {
    // The refs are digits; only what the app names can be too long.
    if (!write_binary_frame("", "", topic_, event, "")) return PushResult::invalid;
    return enqueue({std::string(event), std::string(bytes), std::move(on_reply), true});
}

bool Channel::fits(const Queued& push) const {
    return queue_.size() < options_.queue.pushes &&
           queued_bytes_ + size_of(push.event, push.payload) <= options_.queue.bytes;
}

PushResult Channel::enqueue(Queued push) {
    if (state_ == State::idle) return PushResult::closed;
    const std::size_t size = size_of(push.event, push.payload);
    if (options_.queue.pushes == 0 || size > options_.queue.bytes) return PushResult::full;
    if (!fits(push) && options_.queue.overflow == QueueOptions::Overflow::reject) {
        return PushResult::full;
    }
    // What makes room hears of it once the new one has its place: its callback may push, too.
    std::vector<OnReply> dropped;
    while (!fits(push)) {
        Queued& oldest = queue_.front();
        queued_bytes_ -= size_of(oldest.event, oldest.payload);
        dropped.push_back(std::move(oldest.on_reply));
        queue_.pop_front();
    }
    queued_bytes_ += size;
    queue_.push_back(std::move(push));
    for (const OnReply& callback : dropped) tell(callback, Reply{.outcome = Outcome::dropped});
    return PushResult::accepted;
}

bool Channel::has_frame() const {
    return state_ == State::joined && !queue_.empty() && unanswered_.size() < most_unanswered;
}

void Channel::flush_one() {
    if (!has_frame()) return;
    Queued push = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= size_of(push.event, push.payload);
    const std::string ref = session_.next_ref();
    if (push.binary) {
        session_.send_binary(*write_binary_frame(join_ref_, ref, topic_, push.event, push.payload));
    } else {
        session_.send(write_text_frame(join_ref_, ref, topic_, push.event, push.payload));
    }
    if (push.on_reply) {
        unanswered_.push_back(
            {ref, session_.now() + options_.reply_timeout, std::move(push.on_reply)});
    }
}

void Channel::connected() {
    if (state_ == State::idle) return;
    rejoins_ = 0;
    send_join();
}

void Channel::disconnected() {
    if (state_ == State::idle) return;
    const bool was_joined = state_ == State::joined;
    state_ = State::offline;
    join_deadline_.reset();
    rejoin_at_.reset();
    end_unanswered(Outcome::lost);
    if (was_joined) tell(options_.on_lost);
}

void Channel::send_join() {
    rejoin_at_.reset();
    std::string params = options_.params ? options_.params() : "{}";
    if (state_ == State::idle) return;  // it has left the channel
    if (!is_json_object(params)) {
        rejoin_later();
        tell(options_.on_refused, invalid_params);
        return;
    }
    state_ = State::joining;
    join_ref_ = session_.next_ref();
    join_deadline_ = session_.now() + options_.reply_timeout;
    if (options_.resume && was_here_) {
        const bool empty =
            JsonScanner(std::string_view(params).substr(params.find('{') + 1)).next_is('}');
        params.insert(params.find('{') + 1, "\"resume\":{\"position\":" +
                                                write_position(position_) + (empty ? "}" : "},"));
    }
    session_.send(write_text_frame(join_ref_, join_ref_, topic_, "phx_join", params));
}

void Channel::received(const Message& message) {
    if (state_ != State::joining && state_ != State::joined) return;
    if (message.join_ref && *message.join_ref != join_ref_) return;  // of an earlier join
    if (message.event == "phx_reply") {
        if (message.ref == join_ref_) {
            join_answered(message);
        } else {
            answered(message);
        }
    } else if (message.event == "phx_error") {
        lost();
    } else if (message.event == "phx_close") {
        closed();
        tell(options_.on_closed);
    } else if (state_ == State::joined) {
        event(message);
    }
}

void Channel::join_answered(const Message& message) {
    if (state_ != State::joining) return;
    join_deadline_.reset();
    if (message.status != "ok") {
        rejoin_later();
        tell(options_.on_refused, message.response);
        return;
    }
    state_ = State::joined;
    rejoins_ = 0;
    Continuation how = Continuation::fresh;
    if (options_.resume) {
        JoinedAt at = read_join(message.response, was_here_ ? Asked::yes : Asked::no);
        how = at.how;
        was_here_ = at.durable;
        position_ = std::move(at.position);
    }
    tell(options_.on_join, message.response, how);
    if (how == Continuation::resync) tell(options_.on_resync);
}

void Channel::answered(const Message& message) {
    const auto found = std::find_if(unanswered_.begin(), unanswered_.end(),
                                    [&](const Unanswered& one) { return one.ref == message.ref; });
    if (found == unanswered_.end()) return;  // nobody asked, or it came too late
    const OnReply on_reply = std::move(found->on_reply);
    unanswered_.erase(found);
    tell(on_reply, Reply{Outcome::replied, message.status, message.response});
}

void Channel::event(const Message& message) {
    if (message.binary) {
        tell(options_.on_binary, message.event, message.payload);
        return;
    }
    if (const auto position = resync_position(message)) {
        if (options_.resume) position_ = read_position(*position);
        tell(options_.on_resync);
        return;
    }
    if (!options_.resume) {
        tell(options_.on_event, message.event, message.payload);
        return;
    }
    if (!is_new(position_, message.payload)) return;
    tell(options_.on_event, message.event, message.payload);
    note_handled(position_, message.payload);
}

void Channel::lost() {
    const bool was_joined = state_ == State::joined;
    rejoin_later();
    end_unanswered(Outcome::lost);
    if (was_joined) tell(options_.on_lost);
}

void Channel::closed() {
    state_ = State::idle;
    join_deadline_.reset();
    rejoin_at_.reset();
    rejoins_ = 0;
    // What a callback pushes after joining anew is not of those that end here.
    std::deque<Queued> queue;
    queue.swap(queue_);
    queued_bytes_ = 0;
    end_unanswered(Outcome::left);
    for (const Queued& one : queue) tell(one.on_reply, Reply{.outcome = Outcome::left});
}

void Channel::rejoin_later() {
    state_ = State::errored;
    join_deadline_.reset();
    rejoin_at_ = session_.now() + session_.rejoin_delay(rejoins_++);
}

void Channel::end_unanswered(Outcome outcome) {
    std::vector<Unanswered> ended;
    ended.swap(unanswered_);
    for (const Unanswered& one : ended) tell(one.on_reply, Reply{.outcome = outcome});
}

void Channel::tick(Time now) {
    if (state_ == State::offline) send_join();
    if (join_deadline_ && *join_deadline_ <= now) {
        // The server may still let it in: it is told that nobody is there any more.
        session_.send(write_text_frame(join_ref_, session_.next_ref(), topic_, "phx_leave", "{}"));
        rejoin_later();
    }
    if (rejoin_at_ && *rejoin_at_ <= now) send_join();

    std::vector<OnReply> late;
    std::erase_if(unanswered_, [&](Unanswered& one) {
        if (one.deadline > now) return false;
        late.push_back(std::move(one.on_reply));
        return true;
    });
    for (const OnReply& callback : late) tell(callback, Reply{.outcome = Outcome::timed_out});
}

std::optional<Time> Channel::deadline() const {
    if (state_ == State::offline) return session_.now();
    std::optional<Time> first = earlier(join_deadline_, rejoin_at_);
    for (const Unanswered& one : unanswered_) first = earlier(first, one.deadline);
    return first;
}

}  // namespace bennu::device
