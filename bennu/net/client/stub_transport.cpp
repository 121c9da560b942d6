#include "bennu/net/client/stub_transport.hpp"

#include "bennu/net/client/client_url.hpp"
#include "bennu/net/http1_parser.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/runtime/scope.hpp"
#include "bennu/runtime/signal.hpp"

namespace bennu::net {

namespace {

constexpr std::uint64_t longest_upload = 64 << 20;

Error too_large() {
    return Error(ErrorKind::too_large, "body_too_large", "the answer is longer than was asked for");
}

Task<Result<>> gather_upload(ClientRequest& request) {
    if (!request.upload) co_return {};
    request.body = co_await require(request.upload.gather(longest_upload));
    request.upload = {};
    co_return {};
}

/// The answer with its body as it was asked for.
Task<Result<ClientResponse>> deliver(ClientResponse answer, Delivery delivery, BodyLimits limits) {
    if (delivery == Delivery::streamed) {
        if (!answer.stream) answer.stream = ClientBody(text_source(std::exchange(answer.body, {})));
        answer.stream.limit(limits);
    } else if (answer.stream) {
        answer.body = co_await require(answer.stream.rest(limits.most));
        answer.stream = {};
    } else if (answer.body.size() > limits.most) {
        co_return too_large();
    }
    co_return answer;
}

class FunctionTransport : public Transport {
  public:
    using Answer = Function<Task<Result<ClientResponse>>(ClientRequest) const>;
    explicit FunctionTransport(Answer answer) : answer_(std::move(answer)) {}

    Task<Result<ClientResponse>> send(ClientRequest request) override {
        const BodyLimits limits = request.body_limits();
        const Delivery delivery = request.delivery;
        co_await require(gather_upload(request));
        ClientResponse answer = co_await require(answer_(std::move(request)));
        answer = co_await require(deliver(std::move(answer), delivery, limits));
        co_return answer;
    }

  private:
    Answer answer_;
};

/// The request as it would travel, so that the server's parser judges it.
Result<HttpRequest> as_received(const ClientRequest& request) {
    Result<ClientUrl> url = parse_client_url(request.url);
    if (!url) return std::move(url).error();
    std::string head(to_string(request.method));
    head += ' ' + url->path + (url->query.empty() ? "" : "?" + url->query);
    head += " HTTP/1.1\r\nhost: " + url->origin().substr(url->scheme.size() + 3) + "\r\n";
    for (auto [name, value] : request.headers)
        head += std::string(name) + ": " + std::string(value) + "\r\n";
    head += "content-length: " + std::to_string(request.body.size()) + "\r\n\r\n";
    HttpRequest received{.body = request.body, .received = now()};
    received.tls = url->scheme == "https";
    Http1Parser parser;
    const Http1Event event = parser.next(head, received.head);
    if (event.kind != Http1Event::Kind::head)
        return Error(ErrorKind::invalid, "bad_request", "the server would refuse this head");
    return received;
}

/// A gathered body for a handler that reads it in pieces.
class GatheredSource : public BodySource {
  public:
    explicit GatheredSource(std::string text) : text_(std::move(text)) {}
    Task<Result<std::optional<std::string>>> next() override {
        if (text_.empty()) co_return std::optional<std::string>();
        co_return std::optional<std::string>(std::exchange(text_, {}));
    }
    const Headers& trailers() const override { return none_; }

  private:
    std::string text_;
    Headers none_;
};

/// Runs a producer at the pace of whoever reads, in the process that does.
class ProducedSource : public PieceSource {
  public:
    ProducedSource(BodyProducer producer, std::string_view announced)
        : producer_(std::move(producer)), pipe_(std::make_shared<Pipe>(announced)) {}

    Task<Result<std::optional<std::string>>> next() override {
        if (!std::exchange(begun_, true)) scope_.run(produce());
        while (pipe_->text.empty() && !pipe_->over) co_await pipe_->written.wait();
        if (!pipe_->text.empty()) {
            pipe_->taken.notify();
            co_return std::optional<std::string>(std::exchange(pipe_->text, {}));
        }
        if (pipe_->error) co_return *pipe_->error;
        co_return std::optional<std::string>();
    }

  private:
    struct Pipe : BodySink {
        using BodySink::BodySink;
        Task<Result<>> write(std::string more) override {
            while (!text.empty()) co_await taken.wait();
            text = std::move(more);
            if (!text.empty()) written.notify();
            co_return {};
        }
        Task<bool> closing(Duration limit) override {
            co_await sleep(limit);
            co_return false;
        }
        std::string text;
        bool over = false;
        std::optional<Error> error;
        detail::Signal written, taken;
    };

    Task<> produce() {
        Result<> made = co_await producer_.run(BodyWriter(pipe_));
        if (!made) pipe_->error = made.error();
        pipe_->over = true;
        pipe_->written.notify();
    }

    BodyProducer producer_;
    std::shared_ptr<Pipe> pipe_;
    bool begun_ = false;
    Scope scope_;  // the last: its task refers to the above
};

class HandlerTransport : public Transport {
  public:
    explicit HandlerTransport(std::shared_ptr<const HttpHandler> handler)
        : handler_(std::move(handler)) {}

    Task<Result<ClientResponse>> send(ClientRequest request) override {
        co_await require(gather_upload(request));
        HttpRequest received = co_await require(as_received(request));
        const BodyPlan plan = handler_->body_plan(received.head);
        if (received.body.size() > plan.limit) {
            HttpResponse refusal = handler_->failure(413, "body_too_large", "Body too large");
            co_return co_await answer_of(request, refusal, std::string(refusal.body_view()));
        }
        if (plan.delivery == BodyPlan::Delivery::streamed)
            received.stream = BodyReader(new GatheredSource(std::exchange(received.body, {})));
        HttpResponse made = co_await handler_->handle(std::move(received));
        if (made.websocket)
            co_return Error(ErrorKind::unsupported, "websocket", "a WebSocket needs a network");
        std::string body(made.body_view());
        if (auto* file = std::get_if<FileBody>(&made.body)) {
            if (file->length > request.max_body) co_return too_large();
            body = co_await require(co_await offload(
                [part = *file] { return part.file->read(part.offset, part.length); }));
        }
        co_return co_await answer_of(request, made, std::move(body));
    }

  private:
    [[clang::coro_wrapper]] static Task<Result<ClientResponse>> answer_of(
        const ClientRequest& request, HttpResponse& made, std::string body) {
        if (request.method == Method::head || made.status == 204 || made.status == 304)
            body.clear();
        const std::string announced(made.headers.get("trailer"));
        ClientResponse answer{.status = made.status,
                              .headers = std::move(made.headers),
                              .body = std::move(body),
                              .url = request.url};
        if (auto* producer = std::get_if<BodyProducer>(&made.body))
            answer.stream =
                ClientBody(std::make_unique<ProducedSource>(std::move(*producer), announced));
        return deliver(std::move(answer), request.delivery, request.body_limits());
    }

    std::shared_ptr<const HttpHandler> handler_;
};

}  // namespace

std::shared_ptr<Transport> stub_transport(
    Function<Task<Result<ClientResponse>>(ClientRequest) const> answer) {
    return std::make_shared<FunctionTransport>(std::move(answer));
}

std::shared_ptr<Transport> handler_transport(std::shared_ptr<const HttpHandler> handler) {
    return std::make_shared<HandlerTransport>(std::move(handler));
}

}  // namespace bennu::net
