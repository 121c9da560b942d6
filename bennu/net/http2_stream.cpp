#include "bennu/net/http2_stream.hpp"

#include "bennu/base/log.hpp"
#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http_guard.hpp"
#include "bennu/runtime/offload.hpp"

namespace bennu::net {

namespace {

/// What is read of a file at once.
constexpr std::size_t read_piece_size = 64 * 1024;

/// Waits until there is room for more of the answer; false when nobody takes it any more. A client
/// that takes nothing for too long has its stream reset by the connection.
Task<bool> room_for_more(std::shared_ptr<Http2Exchange> exchange) {
    while (exchange->connection && !exchange->connection->has_room(*exchange))
        co_await exchange->writers.wait(Duration::max());
    co_return exchange->connection != nullptr;
}

}  // namespace

void Http2Exchange::detach() {
    connection = nullptr;
    fail(ErrorKind::closed, "closed", "the client went away");
    writers.notify();
    enders.notify();
    announce();
}

void Http2Exchange::fail(ErrorKind kind, std::string_view code, std::string_view message) {
    if (!body_ended && !error) error.emplace(kind, std::string(code), std::string(message));
    readers.notify();
}

/// The body of the request, which the connection puts into the exchange as the client's windows let
/// it.
class Http2Stream::Upload final : public BodySource {
  public:
    Upload(std::shared_ptr<Http2Exchange> exchange, const PaceLimits& pace)
        : exchange_(std::move(exchange)), pace_(pace) {}

    Task<Result<std::optional<std::string>>> next() override {
        std::shared_ptr<Http2Exchange> exchange = exchange_;
        if (exchange->answered)
            co_return Error(ErrorKind::closed, "request_over", "the request was answered already");
        if (exchange->connection && std::exchange(exchange->expects_continue, false))
            exchange->connection->send_continue(*exchange);
        while (exchange->inbox.empty() && !exchange->body_ended && !exchange->error) {
            const Instant from = now();
            if (!co_await exchange->readers.wait(exchange->pace.patience(pace_)) &&
                exchange->inbox.empty()) {
                exchange->error.emplace(ErrorKind::timeout, "request_timeout",
                                        "the body took too long to arrive");
            }
            exchange->pace.waited(now() - from);
        }
        if (!exchange->inbox.empty()) {
            std::string piece = std::exchange(exchange->inbox, {});
            if (exchange->connection) exchange->connection->consumed(*exchange, piece.size());
            co_return std::optional(std::move(piece));
        }
        if (exchange->error) co_return *exchange->error;
        co_return std::optional<std::string>();
    }
    const Headers& trailers() const override {
        static const Headers none;
        return exchange_->trailers ? *exchange_->trailers : none;
    }

  private:
    std::shared_ptr<Http2Exchange> exchange_;
    PaceLimits pace_;
};

/// The body of a request whose handler had something to do before: the connection gathers it as it
/// gathers others, once it is asked for.
class Http2Stream::Gathered final : public BodySource {
  public:
    explicit Gathered(std::shared_ptr<Http2Exchange> exchange) : exchange_(std::move(exchange)) {}

    Task<Result<std::optional<std::string>>> next() override {
        std::shared_ptr<Http2Exchange> exchange = exchange_;
        if (exchange->answered)
            co_return Error(ErrorKind::closed, "request_over", "the request was answered already");
        if (exchange->connection) exchange->connection->gather(*exchange);
        while (!exchange->body_ended && !exchange->error)
            co_await exchange->readers.wait(Duration::max());
        if (exchange->error) co_return *exchange->error;
        std::string text = exchange->connection ? exchange->connection->take_body(*exchange)
                                                : std::exchange(exchange->body, {});
        co_return text.empty() ? std::nullopt : std::optional(std::move(text));
    }
    const Headers& trailers() const override {
        static const Headers none;
        return exchange_->trailers ? *exchange_->trailers : none;
    }

  private:
    std::shared_ptr<Http2Exchange> exchange_;
};

/// Interim responses. A handler may hold it for longer than the stream lasts.
class Http2Stream::Interim final : public InterimWriter {
  public:
    explicit Interim(std::shared_ptr<Http2Exchange> exchange) : exchange_(std::move(exchange)) {}

    void write(int status, const Headers& headers) override {
        if (exchange_->connection && !exchange_->answer_begun)
            exchange_->connection->inform(*exchange_, status, headers);
    }

  private:
    std::shared_ptr<Http2Exchange> exchange_;
};

/// The body of the answer while it is made.
class Http2Stream::Download final : public BodySink {
  public:
    Download(std::shared_ptr<Http2Exchange> exchange, std::string_view announced)
        : BodySink(announced), exchange_(std::move(exchange)) {}

    Task<Result<>> write(std::string text) override {
        std::shared_ptr<Http2Exchange> exchange = exchange_;
        if (!exchange->connection || exchange->answered)
            co_return Error(ErrorKind::closed, "closed", "the client went away");
        exchange->connection->write(*exchange, std::move(text));
        if (exchange->connection->has_room(*exchange)) co_return Result<>();
        if (!co_await room_for_more(exchange))
            co_return Error(ErrorKind::closed, "closed", "the client went away or does not read");
        co_await yield_now();
        co_return Result<>();
    }
    Task<bool> closing(Duration limit) override {
        std::shared_ptr<Http2Exchange> exchange = exchange_;
        auto over = [&] {
            return !exchange->connection || exchange->answered || exchange->connection->ending();
        };
        if (!over()) co_await exchange->enders.wait(limit);
        co_return over();
    }

  private:
    std::shared_ptr<Http2Exchange> exchange_;
};

Task<> Http2Stream::handle(Begin) {
    Http2Exchange& exchange = *exchange_;
    // Who has given up before we began costs no more.
    if (exchange.connection) {
        HttpRequest request{.head = std::move(exchange.head),
                            .peer = exchange.peer,
                            .received = exchange.received,
                            .tls = exchange.secure};
        request.client_certificate = std::move(exchange.client_certificate);
        if (exchange.streamed) {
            request.stream = BodyReader(new Upload(exchange_, pace_));
        } else if (exchange.deferred) {
            request.stream = BodyReader(new Gathered(exchange_));
        } else {
            request.body = std::move(exchange.body);
            request.trailers = std::move(exchange.trailers);
        }
        if (exchange.connection->sends_interim())
            request.interim = std::make_shared<Interim>(exchange_);
        RequestLine line(request.head);
        auto outcome = co_await contain(handler_->handle(std::move(request)));
        co_await answer(std::move(answer_of(outcome, *handler_, line)));
    }
    exchange_->answered = true;
    if (exchange_->connection) exchange_->connection->done();
    exit_self();
}

Task<> Http2Stream::answer(HttpResponse response) {
    Http2Exchange& exchange = *exchange_;
    if (!exchange.connection) co_return;
    if (response.websocket) {
        exchange.connection->open_websocket(exchange_, std::move(response));
        co_return;
    }
    // An ordinary answer would open the socket: there the client is told by the status alone.
    if (exchange.tunnel == Http2Exchange::Tunnel::wanted) {
        exchange.tunnel = Http2Exchange::Tunnel::refused;
        if (response.status < 300)
            response = handler_->failure(400, "no_websocket", "there is no WebSocket here");
    }
    const bool more = exchange.connection->respond(exchange, response);
    if (!more) co_return;
    bool whole = false;
    std::shared_ptr<Download> sink;
    if (auto* file = std::get_if<FileBody>(&response.body)) {
        whole = co_await send_file(std::move(*file));
    } else {
        const BodyProducer producer = std::get<BodyProducer>(std::move(response.body));
        sink = std::make_shared<Download>(exchange_, response.headers.get("trailer"));
        whole = co_await guarded_produce(&producer, BodyWriter(sink));
    }
    if (!exchange.connection) co_return;
    whole ? exchange.connection->finish(exchange, sink ? sink->trailers() : nullptr)
          : exchange.connection->reset(exchange, Http2Code::internal_error);
}

Task<bool> Http2Stream::send_file(FileBody body) {
    while (body.length > 0) {
        if (!co_await room_for_more(exchange_)) co_return false;
        auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body.length, read_piece_size));
        auto piece = co_await offload(
            [file = body.file, at = body.offset, size] { return file->read(at, size); });
        if (!piece || piece->size() < size) {
            log_error("a file ended before its announced length", {{"missing", body.length}});
            co_return false;
        }
        body.offset += size;
        body.length -= size;
        if (exchange_->connection) exchange_->connection->write(*exchange_, *std::move(piece));
    }
    co_return true;
}

}  // namespace bennu::net
