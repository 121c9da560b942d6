#include "clients/device/session.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace bennu::device {

namespace {

std::function<double()> standard_random() {
    return [engine = std::minstd_rand(std::random_device()())]() mutable {
        return std::uniform_real_distribution<double>(0, 1)(engine);
    };
}

}  // namespace

Session::Session(SessionOptions options)
    : options_(std::move(options)),
      random_(options_.random ? options_.random : standard_random()) {}

Channel& Session::channel(std::string topic, ChannelOptions options) {
    for (const auto& channel : channels_) {
        if (channel->topic() == topic) return *channel;
    }
    channels_.push_back(std::make_unique<Channel>(*this, std::move(topic), std::move(options)));
    return *channels_.back();
}

void Session::start(Time now) {
    now_ = now;
    if (state_ != State::idle) return;
    state_ = State::connecting;
    reconnects_ = 0;
}

void Session::stop(Time now) {
    now_ = now;
    const bool has_connection = state_ == State::open || state_ == State::connecting;
    state_ = State::idle;
    connect_at_.reset();
    drop_ = drop_ || has_connection;
}

void Session::opened(Time now) {
    now_ = now;
    if (state_ != State::connecting) return;
    state_ = State::open;
    outgoing_.clear();
    heartbeat_ref_.reset();
    heartbeat_at_ = now + options_.heartbeat;
    each_channel([](Channel& channel) { channel.connected(); });
}

void Session::closed(Time now) {
    now_ = now;
    drop_ = false;
    outgoing_.clear();
    heartbeat_at_.reset();
    heartbeat_ref_.reset();
    if (state_ != State::idle) {
        state_ = State::waiting;
        connect_at_ = now + options_.reconnect.delay(reconnects_++, random_());
    }
    each_channel([](Channel& channel) { channel.disconnected(); });
}

void Session::received(Time now, std::string_view frame, FrameKind kind) {
    now_ = now;
    if (!open()) return;
    const auto message =
        kind == FrameKind::binary ? read_binary_frame(frame) : read_text_frame(frame);
    if (!message) {  // whoever speaks there does not speak this protocol
        drop_ = true;
        return;
    }
    // A server that lets clients in only to drop them is not asked more and more often.
    reconnects_ = 0;
    if (message->topic == "phoenix") {
        heartbeat_answered(*message);
        return;
    }
    each_channel([&](Channel& channel) {
        if (channel.topic() == message->topic) channel.received(*message);
    });
}

void Session::heartbeat_answered(const Message& message) {
    if (!heartbeat_ref_ || message.ref != heartbeat_ref_) return;
    heartbeat_ref_.reset();
    heartbeat_at_ = now_ + options_.heartbeat;
}

void Session::heartbeat(Time now) {
    if (!heartbeat_at_ || *heartbeat_at_ > now) return;
    if (heartbeat_ref_) {
        drop_ = true;
        heartbeat_at_.reset();
        return;
    }
    heartbeat_ref_ = next_ref();
    heartbeat_at_ = now + options_.heartbeat;
    send(write_text_frame(std::nullopt, *heartbeat_ref_, "phoenix", "heartbeat", "{}"));
}

void Session::tick(Time now) {
    now_ = now;
    if (state_ == State::waiting && *connect_at_ <= now) {
        connect_at_.reset();
        state_ = State::connecting;
    }
    if (!open()) return;
    heartbeat(now);
    each_channel([&](Channel& channel) {
        if (open()) channel.tick(now);
    });
}

std::optional<Time> Session::deadline() const {
    if (state_ == State::waiting) return connect_at_;
    if (!open()) return std::nullopt;
    std::optional<Time> first = heartbeat_at_;
    for (const auto& channel : channels_) first = earlier(first, channel->deadline());
    return first;
}

bool Session::has_frame() const {
    if (!open()) return false;
    return !outgoing_.empty() || std::any_of(channels_.begin(), channels_.end(),
                                             [](const auto& one) { return one->has_frame(); });
}

std::optional<Session::Frame> Session::next_frame(Time now) {
    now_ = now;
    if (!open()) return std::nullopt;
    for (std::size_t i = 0; i < channels_.size() && takes_more(); ++i) {
        channels_[turn_++ % channels_.size()]->flush_one();
    }
    if (outgoing_.empty()) return std::nullopt;
    Frame frame = std::move(outgoing_.front());
    outgoing_.pop_front();
    return frame;
}

}  // namespace bennu::device
