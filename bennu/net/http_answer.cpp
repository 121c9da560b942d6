#include "bennu/base/log.hpp"
#include "bennu/net/http_response.hpp"
#include "bennu/net/http_stream_state.hpp"
#include "bennu/net/websocket_connection.hpp"

namespace bennu::net {

namespace {

/// A body over this goes to the socket from where it lies instead of through the output buffer.
constexpr std::size_t copied_body = 16 * 1024;
/// Answers of a pipeline are gathered up to this size before they are sent.
constexpr std::size_t gathered_output = 64 * 1024;

bool is_text(const HttpResponse& response) {
    return response.body.index() < 2;
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

Task<> HttpConnection::serve() {
    bool open = true;
    while (open) {
        auto incoming = std::move(incoming_);
        Answering answering{.head_request = incoming->head.method == Method::head,
                            .keep_alive = incoming->head.keep_alive,
                            .minor_version = incoming->head.minor_version};
        if (peer_.host.empty()) peer_ = reactor().peer_address(stream_.socket());
        BodyRef<Upload> upload;
        if (incoming->streamed) upload = BodyRef<Upload>::make(*this, incoming->head);
        HttpRequest request{
            std::move(incoming->head),    std::move(incoming->body), peer_,
            incoming->received,           stream_.secure(),          BodyReader(upload.get()),
            std::move(incoming->trailers)};
        incoming.reset();
        HttpResponse response = co_await answer(std::move(request));
        if (response.websocket) {
            upgrade(std::move(response));
            co_return;
        }
        if (served_ < UINT16_MAX) ++served_;
        answering.keep_alive = answering.keep_alive && !response.close && !entry_.draining() &&
                               served_ != options().max_requests &&
                               (answering.minor_version > 0 || response.body_size()) &&
                               (!upload || upload->may_skip(options().skip_body));
        if (is_text(response)) {
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
    waiting_.reset();
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
    append_response_head(stream_.out(), response.status, response.headers, framing);
}

void HttpConnection::write_response(HttpResponse& response, Answering answering) {
    append_head(response, answering);
    bool bodiless = answering.head_request || response.status == 204 || response.status == 304;
    if (bodiless) return;
    std::string_view body = response.body_view();
    if (body.size() <= copied_body) {
        stream_.write(body);
    } else if (!stream_.flush(body)) {
        lost_ = true;
    }
}

Task<bool> HttpConnection::drained() {
    if (!stream_.flush()) lost_ = true;
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
        .address = entry_.take_address(),
    };
    start_websocket(std::move(start));
    ended_ = true;
    exit_self();
}

}  // namespace bennu::net
