#include "bennu/pubsub/hub/hub_client.hpp"

#include "bennu/base/events.hpp"
#include "bennu/base/log.hpp"

namespace bennu::pubsub {

namespace {

constinit EventName hub_dropped{"pubsub.hub.dropped"};
constinit EventName hub_connected{"pubsub.hub.connected"};
constinit EventName hub_gap{"pubsub.hub.gap"};

}  // namespace

HubClient::HubClient(HubClientOptions options)
    : options_(std::move(options)), retry_(options_.first_retry) {}

Task<Result<>> HubClient::init() {
    while (options_.node == 0) options_.node = random().next();
    connect();
    co_return {};
}

void HubClient::connect() {
    auto socket = reactor().connect(options_.address);
    if (!socket) return lost();
    stream_.adopt(*socket);
    connecting_ = true;
    if (!stream_.watch()) lost();
}

void HubClient::established() {
    connecting_ = false;
    up_ = true;
    retry_ = options_.first_retry;
    reader_ = {};
    std::string hello;
    append_hub_frame(hello, {HubFrame::Kind::hello, options_.node, options_.token});
    // To itself: what comes back says that the hub has read the first.
    append_hub_frame(hello, {.peer = options_.node});
    stream_.out().insert(0, hello);
    emit(hub_connected);
    may_lack_ = std::exchange(was_up_, true);
    flush();
}

void HubClient::met() {
    met_ = true;
    // While it was away, others went on.
    if (std::exchange(may_lack_, false)) {
        emit(hub_gap);
        options_.gap();
    }
    for (From<bool>& from : std::exchange(waiting_, {})) from.reply(true);
}

void HubClient::handle(Met, From<bool> from) {
    if (met_) return from.reply(true);
    waiting_.push_back(std::move(from));
}

void HubClient::lost() {
    if (std::exchange(up_, false)) log_warning("the connection with the hub is lost");
    connecting_ = met_ = false;
    if (!stream_.out().empty()) emit(hub_dropped, {{"bytes", stream_.out().size()}});
    stream_.out().clear();
    stream_.close();
    send_after(Ref<HubClient>(self()), Retry{}, retry_);
    retry_ = std::min(retry_ * 2, options_.longest_retry);
}

void HubClient::handle(Send message) {
    // Before the first connection messages wait for it; later ones are gone with it.
    const bool waits = up_ || !was_up_;
    if (!waits || message.data.size() > hub_frame_limit - 64 ||
        stream_.pending() + message.data.size() > options_.max_queued) {
        emit(hub_dropped, {{"bytes", message.data.size()}});
        return;
    }
    append_hub_frame(stream_.out(), {.peer = message.to, .data = message.data});
    if (!up_ || std::exchange(flush_due_, true)) return;
    at_turn_end([me = Ref<HubClient>(self())] {
        if (HubClient* client = local_body(me)) client->flush();
    });
}

void HubClient::flush() {
    flush_due_ = false;
    // A connection that fails says so to `handle_io`.
    if (up_) (void)stream_.flush();
}

void HubClient::handle_io(std::uint8_t, Readiness ready) {
    stream_.note(ready);
    if (connecting_) {
        if (ready.hangup) return lost();
        if (ready.writable) established();
        if (connecting_) return;
    } else if (ready.writable) {
        flush();
    }
    read();
}

void HubClient::read() {
    using Turn = net::TcpStream::Turn;
    bool understood = true;
    const Turn turn =
        stream_.read_turn([&](std::span<char> bytes) { return understood = take(bytes); });
    if (turn == Turn::closed || !understood) return lost();
    if (turn == Turn::portion_read) stream_.go_on_next_turn();
}

bool HubClient::take(std::span<char> bytes) {
    reader_.receive({bytes.data(), bytes.size()});
    for (auto next = reader_.next(); next.kind != HubFrameReader::Next::Kind::need_more;
         next = reader_.next()) {
        if (next.kind == HubFrameReader::Next::Kind::malformed) return false;
        if (next.frame.peer == options_.node && next.frame.data.empty()) {
            met();
        } else if (next.frame.kind == HubFrame::Kind::message) {
            options_.receive(next.frame.peer, next.frame.data);
        } else if (next.frame.kind == HubFrame::Kind::gap && next.frame.peer != 0) {
            options_.gone(next.frame.peer);
        } else if (next.frame.kind == HubFrame::Kind::gap) {
            emit(hub_gap);
            options_.gap();
        }
    }
    return true;
}

}  // namespace bennu::pubsub
