#include "clients/device/client.hpp"

#include <poll.h>

#include <algorithm>
#include <stdexcept>

namespace bennu::device {

namespace {

Time now() {
    return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
}

SocketUrl require_url(const std::string& text) {
    auto url = parse_url(text);
    if (url) return *std::move(url);
    const std::size_t query = text.find('?');
    if (query != std::string::npos && parse_url(std::string_view(text).substr(0, query))) {
        throw std::invalid_argument("the URL of a socket has no query, give that as " +
                                    std::string("ClientOptions::params: ") + text);
    }
    throw std::invalid_argument("not the URL of a socket: " + text);
}

}  // namespace

Client::Client(ClientOptions options)
    : options_(std::move(options)),
      url_(require_url(options_.url)),
      session_(options_.session),
      lookup_(std::make_shared<Lookup>(options_.resolve)) {}

void Client::start() {
    session_.start(now());
}

void Client::stop() {
    session_.stop(now());
}

/// Ends the connection: the session does not want it any more, or it broke.
bool Client::drop() {
    if (!transport_) return false;
    const bool broke = transport_->state() == Transport::State::closed;
    if (!broke && !session_.wants_close()) return false;
    if (!broke) transport_->close(net::close_code::normal);
    const std::string problem =
        transport_->problem().empty() ? "closed by this client" : transport_->problem();
    transport_.reset();
    opened_ = false;
    session_.closed(now());
    if (options_.on_close) options_.on_close(problem);
    return true;
}

/// One round; whether there may be more to do without waiting.
bool Client::advance() {
    session_.tick(now());
    if (!transport_ && session_.wants_close()) session_.closed(now());
    if (!transport_ && session_.wants_connection()) {
        transport_ = std::make_unique<Transport>(TransportOptions{
            .url = url_,
            .params = options_.params,
            .auth_token = options_.auth_token,
            .headers = options_.headers,
            .ca_file = options_.ca_file,
            .lookup = lookup_,
            .connect_timeout = options_.connect_timeout,
            .largest_message = options_.largest_message,
        });
    }
    if (!transport_) return false;
    transport_->step(
        now(), [this] { return session_.open(); },
        [this](std::string_view message, FrameKind kind) {
            session_.received(now(), message, kind);
        });
    if (!opened_ && transport_->state() == Transport::State::open) {
        opened_ = true;
        session_.opened(now());
        if (options_.on_open) options_.on_open();
        return true;
    }
    while (transport_->takes_more()) {
        const auto frame = session_.next_frame(now());
        if (!frame) break;
        transport_->send(frame->data, frame->kind);
    }
    return drop();
}

void Client::step() {
    while (advance()) {}
}

std::optional<Millis> Client::due() const {
    const bool wants_step = session_.wants_close() ||
                            (session_.wants_connection() && !transport_) ||
                            (transport_ && transport_->takes_more() && session_.has_frame());
    if (wants_step) return Millis(0);
    std::optional<Time> at = session_.deadline();
    if (transport_) at = earlier(at, transport_->deadline());
    if (!at) return std::nullopt;
    return std::max(Millis(0), *at - now());
}

void Client::poll(Millis timeout) {
    step();
    if (session_.stopped() && !transport_) return;
    const Millis wait = std::min(timeout, due().value_or(timeout));
    pollfd waiting{.fd = descriptor(), .events = 0, .revents = 0};
    if (wants_read()) waiting.events |= POLLIN;
    if (wants_write()) waiting.events |= POLLOUT;
    ::poll(&waiting, 1, static_cast<int>(std::max<Millis::rep>(0, wait.count())));
    step();
}

void Client::run() {
    while (!session_.stopped() || transport_) poll(std::chrono::minutes(1));
}

}  // namespace bennu::device
