#include "bennu/base/log.hpp"
#include "bennu/net/http_guard.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/net/http_stream_state.hpp"
#include "bennu/net/websocket_connection.hpp"

namespace bennu::net {

namespace {

/// A body over this goes to the socket from where it lies instead of through the output buffer.
constexpr std::size_t copied_body = 16 * 1024;
/// Answers of a pipeline are gathered up to this size before they are sent.
constexpr std::size_t gathered_output = 64 * 1024;
/// So many requests of a pipeline are answered before other connections get their turn.
constexpr int answers_per_turn = 64;
/// Most heads are smaller.
constexpr std::size_t usual_head = 320;

/// Goes through the output buffer, and leaves together with what else is there.
bool is_short_text(const HttpResponse& response) {
    return response.body.index() < 2 && response.body_view().size() <= copied_body;
}

}  // namespace

std::string_view HttpResponse::body_view() const {
    if (const auto* text = std::get_if<std::string>(&body)) return *text;
    const auto* shared = std::get_if<Shared<std::string>>(&body);
    return shared && *shared ? std::string_view(**shared) : std::string_view();
}

std::optional<std::uint64_t> HttpResponse::body_size() const {
    if (const auto* file = std::get_if<FileBody>(&body)) return file->length;
    if (std::holds_alternative<BodyProducer>(body)) return std::nullopt;
    return body_view().size();
}

void HttpConnection::Interim::write(int status, const Headers& headers) {
    if (!connection_ || connection_->ended_) return;
    append_response_head(connection_->stream_.out(), status, headers, {});
    if (!connection_->stream_.flush()) connection_->lost_ = true;
}

/// Ends what a handler may still hold, also when the frame is destroyed.
class HttpConnection::InterimTurn {
  public:
    InterimTurn() = default;
    InterimTurn(const InterimTurn&) = delete;
    InterimTurn& operator=(const InterimTurn&) = delete;
    ~InterimTurn() { end(); }
    std::shared_ptr<InterimWriter> begin(std::shared_ptr<Interim> interim) {
        interim_ = std::move(interim);
        return interim_;
    }
    void end() {
        if (interim_) std::exchange(interim_, nullptr)->end();
    }

  private:
    std::shared_ptr<Interim> interim_;
};

Task<> HttpConnection::serve() {
    bool open = true;
    for (int in_turn = 1; open; ++in_turn) {
        if (in_turn % answers_per_turn == 0) co_await yield_now();
        auto incoming = std::move(incoming_);
        HttpRequest& request = incoming->request;
        Answering answering{.head_request = request.head.method == Method::head,
                            .keep_alive = request.head.keep_alive,
                            .minor_version = request.head.minor_version,
                            .trailers = request.head.accepts_trailers};
        if (peer_.host.empty()) peer_ = reactor().peer_address(stream_.socket());
        BodyRef<Upload> upload;
        if (incoming->streamed) {
            upload = BodyRef<Upload>::make(*this, request.head, std::exchange(request.body, {}));
            request.stream = BodyReader(upload.get());
        }
        request.peer = peer_;
        if (const TlsSession* tls = stream_.tls()) {
            request.tls = true;
            request.client_certificate = tls->peer_certificate();
        }
        InterimTurn interim;
        if (options().interim_responses && answering.minor_version > 0)
            request.interim = interim.begin(std::make_shared<Interim>(*this));
        RequestLine line(request.head);
        auto handling = serving_->handler->handle(std::move(request));
        incoming.reset();
        auto outcome = co_await contain(std::move(handling));
        HttpResponse& response = answer_of(outcome, *serving_->handler, line);
        interim.end();
        if (response.websocket) {
            upgrade(std::move(response));
            co_return;
        }
        if (served_ < UINT16_MAX) ++served_;
        answering.keep_alive = answering.keep_alive && !response.close && !entry_.draining() &&
                               served_ != options().max_requests &&
                               (answering.minor_version > 0 || response.body_size()) &&
                               (!upload || upload->may_skip(options().skip_body));
        if (is_short_text(response)) {
            write_response(response, answering);
        } else if (!co_await write_long(response, answering)) {
            if (stream_.pending() > 0) (void)stream_.flush();
            end();
            co_return;
        }
        if (upload) {
            if (!stream_.flush()) lost_ = true;
            if (answering.keep_alive && !co_await skip_rest(*upload)) answering.keep_alive = false;
            upload->end();
        }
        if (!answering.keep_alive) {
            serving_request_ = false;
            finish_output(true);
            co_return;
        }
        if (stream_.pending() > gathered_output && !co_await drained()) break;
        // The next request of a pipeline, if it is there already.
        Step step = in_.empty() ? Step::need_more : parse({});
        while (step == Step::need_more && !lost_) {
            if (!flushed() && !co_await drained()) break;
            if (!stream_.readable()) break;
            TcpStream::Read got = stream_.read();
            if (got.kind == TcpStream::Read::Kind::closed) peer_closed_ = true;
            if (got.kind != TcpStream::Read::Kind::data) break;
            step = parse(got.bytes);
        }
        open = step == Step::request && !lost_;
        if (step == Step::refused || step == Step::handed_over) {
            serving_request_ = false;
            co_return;
        }
    }
    serving_request_ = false;
    waiting_.reset();
    if (lost_ || peer_closed_) {
        end();
    } else if (phase_ == Phase::answering) {
        set_phase(Phase::idle);
    }
}

void HttpConnection::append_head(const HttpResponse& response, Answering answering) {
    ResponseFraming framing;
    if (std::optional<std::uint64_t> length = response.body_size()) {
        framing.length = *length;
    } else {
        framing.body =
            answering.minor_version == 0 ? BodyFraming::until_close : BodyFraming::chunked;
    }
    framing.keep_alive = answering.keep_alive;
    framing.minor_version = answering.minor_version;
    framing.date = shard_local<HttpDate>().at(wall_now());
    // One allocation instead of one for each doubling.
    const std::size_t body = is_short_text(response) ? response.body_view().size() : 0;
    stream_.out().reserve(stream_.out().size() + usual_head + body);
    append_response_head(stream_.out(), response.status, response.headers, framing);
}

void HttpConnection::write_response(HttpResponse& response, Answering answering) {
    append_head(response, answering);
    bool bodiless = answering.head_request || response.status == 204 || response.status == 304;
    if (!bodiless) stream_.write(response.body_view());
}

bool HttpConnection::flushed() {
    if (stream_.pending() > 0 && !stream_.flush()) lost_ = true;
    return !lost_ && stream_.pending() == 0;
}

Task<bool> HttpConnection::drained() {
    if (flushed()) co_return true;
    while (!lost_ && stream_.pending() > 0) {
        if (!co_await wait_writable()) break;
    }
    co_return !lost_;
}

Task<bool> HttpConnection::wait_writable() {
    // A client that does not read its answers is let go like one that does not send.
    if (!lost_ && !co_await waiting().writers.wait(options().send_timeout)) {
        log_info("a client that does not read its answer is disconnected",
                 {{"peer", peer_.to_string()}, {"unsent", stream_.pending()}});
        lost_ = true;
    }
    co_return !lost_;
}

void HttpConnection::upgrade(HttpResponse response) {
    append_response_head(stream_.out(), 101, response.headers, {.body = BodyFraming::none});
    WebSocketConnection::Start start{
        .stream = std::move(stream_),
        .handler = std::move(response.websocket->handler),
        .options = response.websocket->options,
        .table = entry_.table(),
        .input = std::move(in_),
        .peer = peer_,
        .seat = entry_.take_seat(),
    };
    start_websocket(std::move(start));
    ended_ = true;
    exit_self();
}

}  // namespace bennu::net
