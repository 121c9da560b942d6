#include "bennu/net/http_connection.hpp"

#include "bennu/base/log.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/net/websocket_connection.hpp"

namespace bennu::net {

using namespace std::chrono_literals;

namespace {

/// A body over this goes to the socket from where it lies instead of through the output buffer.
constexpr std::size_t copied_body = 16 * 1024;
/// Answers of a pipeline are gathered up to this size before they are sent.
constexpr std::size_t gathered_output = 64 * 1024;

/// Waits until the output buffer is empty or the connection lost.
class [[nodiscard]] DrainWait : detail::Answer<detail::Unit> {
  public:
    explicit DrainWait(detail::ReplyTo& slot) : slot_(slot) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
        slot_ = begin(coroutine, Instant::max());
    }
    void await_resume() { release(); }

  private:
    detail::ReplyTo& slot_;
};

}  // namespace

std::string_view HttpResponse::body_view() const {
    if (const auto* text = std::get_if<std::string>(&body)) return *text;
    const auto& shared = std::get<Shared<std::string>>(body);
    return shared ? std::string_view(*shared) : std::string_view();
}

/// A request on its way in.
struct HttpConnection::Incoming {
    RequestHead head;
    std::string body;
    Instant received;
};

HttpConnection::HttpConnection(SocketHandle socket, std::shared_ptr<const HttpServing> serving,
                               std::shared_ptr<ConnectionTable> table)
    : stream_(socket),
      serving_(std::move(serving)),
      entry_(std::move(table), [](Pid pid) { cast(Ref<HttpConnection>(pid), Expired{}); }),
      parser_(serving_->options.limits) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::handle(Begin) {
    entry_.set_connection(self());
    set_phase(Phase::idle);
    if (!stream_.watch()) end();
}

void HttpConnection::set_phase(Phase phase) {
    if (phase == phase_ && phase == Phase::reading_body) return;
    phase_ = phase;
    const HttpServerOptions& options = serving_->options;
    switch (phase) {
        case Phase::idle:
            entry_.set_deadline(now() + options.idle_timeout);
            break;
        case Phase::reading_head:
            entry_.set_deadline(now() + options.head_timeout);
            break;
        case Phase::reading_body:
            entry_.set_deadline(now() + options.body_timeout);
            break;
        case Phase::answering:
            entry_.clear_deadline();
            break;
        case Phase::lingering:
            entry_.set_deadline(now() + 2s);
            break;
    }
}

void HttpConnection::handle(Expired) {
    if (phase_ == Phase::reading_head || phase_ == Phase::reading_body) {
        HttpResponse response = serving_->handler->failure(408, "request_timeout",
                                                           "the request took too long to arrive");
        write_response(response, {.keep_alive = false});
        finish_output(true);
    } else if (phase_ != Phase::answering) {
        end();
    }
}

void HttpConnection::handle_io(std::uint8_t, Readiness ready) {
    if (ended_) return;
    if (ready.writable && stream_.pending() > 0) {
        if (!stream_.flush()) lost_ = true;
        if ((lost_ || stream_.pending() == 0) && waiting_for_drain_) {
            detail::send_reply(std::exchange(waiting_for_drain_, {}), detail::Unit{});
        }
    }
    if (ready.readable || ready.hangup) readable_ = true;
    if (serving_request_) return;
    if (lost_) {
        end();
        return;
    }
    if (phase_ == Phase::lingering && stream_.pending() == 0) stream_.shutdown_write();
    if (readable_) read_input();
}

void HttpConnection::read_input() {
    while (readable_ && !ended_) {
        TcpStream::Read got = stream_.read();
        if (got.kind == TcpStream::Read::Kind::closed) {
            end();
            return;
        }
        readable_ = got.kind == TcpStream::Read::Kind::data && !got.drained;
        if (got.kind != TcpStream::Read::Kind::data || phase_ == Phase::lingering) continue;
        switch (parse(got.bytes)) {
            case Step::need_more:
                break;
            case Step::refused:
                return;
            case Step::request:
                serving_request_ = true;
                run_in_process(serve());
                return;
        }
    }
}

HttpConnection::Step HttpConnection::parse(std::span<char> fresh) {
    std::size_t consumed = 0;
    if (in_.empty()) {
        std::string_view input(fresh.data(), fresh.size());
        Step step = parse_from(input, consumed);
        in_.assign(input.substr(consumed));
        return step;
    }
    in_.append(fresh.data(), fresh.size());
    Step step = parse_from(in_, consumed);
    in_.erase(0, consumed);
    if (in_.empty()) std::string().swap(in_);
    return step;
}

HttpConnection::Step HttpConnection::parse_from(std::string_view input, std::size_t& consumed) {
    if (!incoming_) {
        incoming_ = std::make_unique<Incoming>();
        incoming_->received = now();
    }
    while (true) {
        Http1Event event = parser_.next(input.substr(consumed), incoming_->head);
        consumed += event.consumed;
        switch (event.kind) {
            case Http1Event::Kind::need_more:
                if (parser_.idle()) {
                    incoming_.reset();
                    if (phase_ != Phase::idle) set_phase(Phase::idle);
                } else if (phase_ == Phase::idle || phase_ == Phase::answering) {
                    set_phase(Phase::reading_head);
                }
                return Step::need_more;
            case Http1Event::Kind::head: {
                RequestHead& head = incoming_->head;
                std::uint64_t limit = serving_->handler->body_limit(head);
                parser_.body_limit(limit);
                set_phase(Phase::reading_body);
                if (head.expect_continue && head.content_length.value_or(0) <= limit) {
                    stream_.write(continue_response);
                    if (!stream_.flush()) lost_ = true;
                }
                break;
            }
            case Http1Event::Kind::body:
                incoming_->body.append(event.body);
                break;
            case Http1Event::Kind::done:
                set_phase(Phase::answering);
                return Step::request;
            case Http1Event::Kind::error:
                refuse(*event.refusal);
                return Step::refused;
        }
    }
}

void HttpConnection::refuse(const Http1Refusal& refusal) {
    HttpResponse response =
        serving_->handler->failure(refusal.status, refusal.code, refusal.message);
    write_response(response, {.keep_alive = false});
    finish_output(true);
}

Task<> HttpConnection::serve() {
    bool open = true;
    while (open) {
        auto incoming = std::move(incoming_);
        Answering answering{.head_request = incoming->head.method == Method::head,
                            .keep_alive = incoming->head.keep_alive,
                            .minor_version = incoming->head.minor_version};
        if (peer_.port == 0) peer_ = reactor().peer_address(stream_.socket());
        HttpRequest request{std::move(incoming->head), std::move(incoming->body), peer_,
                            incoming->received};
        incoming.reset();
        HttpResponse response = co_await answer(std::move(request));
        if (response.websocket) {
            upgrade(std::move(response));
            co_return;
        }
        answering.keep_alive = answering.keep_alive && !response.close && !entry_.draining();
        write_response(response, answering);
        if (!answering.keep_alive) {
            serving_request_ = false;
            finish_output(true);
            co_return;
        }
        if (stream_.pending() > gathered_output) {
            if (!co_await drained()) break;
        }
        // The next request of a pipeline, if it is there already.
        Step step = in_.empty() ? Step::need_more : parse({});
        while (step == Step::need_more && !lost_) {
            if (stream_.pending() > 0 && !co_await drained()) break;
            if (!readable_) break;
            TcpStream::Read got = stream_.read();
            readable_ = got.kind == TcpStream::Read::Kind::data && !got.drained;
            if (got.kind == TcpStream::Read::Kind::closed) peer_closed_ = true;
            if (got.kind != TcpStream::Read::Kind::data) break;
            step = parse(got.bytes);
        }
        open = step == Step::request && !lost_;
        if (step == Step::refused) {
            serving_request_ = false;
            co_return;
        }
    }
    serving_request_ = false;
    if (lost_ || peer_closed_) {
        end();
    } else if (phase_ == Phase::answering) {
        set_phase(Phase::idle);
    }
}

Task<HttpResponse> HttpConnection::answer(HttpRequest request) {
    std::string target(request.head.target());
    std::string method(request.head.method_text());
    auto outcome = co_await contain(serving_->handler->handle(std::move(request)));
    if (outcome) co_return std::move(*outcome.value);
    ExitReason reason = ExitReason::from_fault(*outcome.fault);
    std::string at;
    for (const std::string& await : reason.awaits())
        at.append(at.empty() ? "" : " < ").append(await);
    log_error("a request crashed",
              {{"method", method}, {"target", target}, {"reason", reason.describe()}, {"at", at}});
    co_return serving_->handler->failure(500, "internal", "something went wrong on our side");
}

void HttpConnection::write_response(HttpResponse& response, Answering answering) {
    answered_ = true;
    std::string_view body = response.body_view();
    ResponseFraming framing;
    framing.length = body.size();
    framing.keep_alive = answering.keep_alive;
    framing.minor_version = answering.minor_version;
    framing.date = shard_local<HttpDate>().at(wall_now());
    append_response_head(stream_.out(), response.status, response.headers, framing);
    bool bodiless = answering.head_request || response.status == 204 || response.status == 304;
    if (bodiless) return;
    if (body.size() <= copied_body) {
        stream_.write(body);
    } else if (!stream_.flush(body)) {
        lost_ = true;
    }
}

Task<bool> HttpConnection::drained() {
    if (!stream_.flush()) lost_ = true;
    while (!lost_ && stream_.pending() > 0) {
        // A client that does not read its answers is let go like one that does not send.
        entry_.set_deadline(now() + serving_->options.body_timeout);
        co_await DrainWait(waiting_for_drain_);
        entry_.clear_deadline();
    }
    co_return !lost_;
}

void HttpConnection::finish_output(bool close) {
    if (!stream_.flush()) lost_ = true;
    if (!close) return;
    if (lost_) {
        end();
        return;
    }
    // Half-close and read on for a moment: closing with unread input would reset the connection and
    // could take the answer away from the client.
    set_phase(Phase::lingering);
    if (stream_.pending() == 0) stream_.shutdown_write();
    std::string().swap(in_);
    incoming_.reset();
}

void HttpConnection::upgrade(HttpResponse response) {
    append_response_head(stream_.out(), 101, response.headers, {.body = BodyFraming::none});
    WebSocketConnection::Start start{
        .stream = std::move(stream_),
        .handler = std::move(response.websocket),
        .options = response.websocket_options,
        .table = entry_.table(),
        .input = std::move(in_),
        .peer = peer_,
    };
    start_websocket(std::move(start));
    ended_ = true;
    exit_self();
}

Task<> HttpConnection::terminate(ExitReason) {
    end();
    co_return;
}

bool HttpConnection::silent_for(Duration draining) const {
    return phase_ == Phase::idle && draining >= (answered_ ? Duration(250ms) : Duration(1s));
}

void HttpConnection::end() {
    if (std::exchange(ended_, true)) return;
    stream_.close();
    exit_self();
}

}  // namespace bennu::net
