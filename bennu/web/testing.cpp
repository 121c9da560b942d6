#include "bennu/web/testing.hpp"

#include <stdexcept>

#include "bennu/net/http1_parser.hpp"
#include "bennu/runtime/simulation.hpp"

namespace bennu {

namespace {

std::shared_ptr<const Endpoint> endpoint_of(std::shared_ptr<Router> router,
                                            EndpointOptions options) {
    auto endpoint = Endpoint::make(std::move(options), std::move(router));
    if (!endpoint) throw std::logic_error(endpoint.error().describe());
    return *std::move(endpoint);
}

/// The head as the real parser reads it, so that tests meet the same rules.
net::RequestHead parse_head(const std::string& text) {
    net::Http1Parser parser;
    net::RequestHead head;
    auto event = parser.next(text, head);
    if (event.kind == net::Http1Event::Kind::head) return head;
    throw std::invalid_argument("the test's request is refused before it is routed: " +
                                std::string(event.refusal ? event.refusal->message : "incomplete"));
}

/// A body that is there already, in two pieces.
class TextSource final : public net::BodySource {
  public:
    explicit TextSource(std::string text) : text_(std::move(text)) {}
    Task<Result<std::optional<std::string>>> next() override {
        if (text_.empty()) co_return std::optional<std::string>();
        std::size_t half = (text_.size() + 1) / 2;
        std::string piece = text_.substr(0, half);
        text_.erase(0, half);
        co_return std::optional(std::move(piece));
    }
    const net::Headers& trailers() const override { return none_; }

  private:
    std::string text_;
    net::Headers none_;
};

/// Takes whatever a producer writes.
class TextSink final : public net::BodySink {
  public:
    using BodySink::BodySink;
    Task<Result<>> write(std::string piece) override {
        text += piece;
        co_return Result<>();
    }
    Task<bool> closing(Duration limit) override {
        co_await sleep(limit);
        co_return false;
    }
    std::string text;
};

Task<std::string> text_of(const net::HttpResponse& response, net::Headers& trailers) {
    if (const auto* file = std::get_if<net::FileBody>(&response.body)) {
        co_return file->file->read(file->offset, file->length).value();
    }
    const auto* producer = std::get_if<net::BodyProducer>(&response.body);
    if (!producer) co_return std::string(response.body_view());
    auto sink = std::make_shared<TextSink>(response.headers.get("trailer"));
    Result<> made = co_await producer->run(net::BodyWriter(sink));
    if (!made) throw std::runtime_error("the body broke off: " + made.error().describe());
    if (const net::Headers* after = sink->trailers()) trailers = *after;
    co_return std::move(sink->text);
}

}  // namespace

Json TestResponse::json() const {
    return parse_json(body).value();
}

TestClient::TestClient(std::shared_ptr<const Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}
TestClient::TestClient(std::shared_ptr<Router> router, EndpointOptions options)
    : endpoint_(endpoint_of(std::move(router), std::move(options))) {}

void TestClient::set_header(std::string name, std::string value) {
    headers_.emplace_back(std::move(name), std::move(value));
}

net::HttpRequest TestClient::make(TestRequest request) const {
    std::string text(net::to_string(request.method));
    text += " " + request.target + " HTTP/1.1\r\n";
    bool host = false;
    auto add = [&](const std::pair<std::string, std::string>& header) {
        text += header.first + ": " + header.second + "\r\n";
        host = host || header.first == "host";
    };
    for (const auto& header : headers_) add(header);
    for (const auto& header : request.headers) add(header);
    if (!host) text += "host: www.example.com\r\n";
    if (!request.body.empty()) {
        text += "content-length: " + std::to_string(request.body.size()) + "\r\n";
    }
    net::HttpRequest made;
    made.head = parse_head(text + "\r\n");
    made.body = std::move(request.body);
    made.peer = std::move(request.peer);
    made.tls = request.tls;
    made.client_certificate = std::move(request.client_certificate);
    if (on_shard()) made.received = now();
    return made;
}

Task<TestResponse> TestClient::request(TestRequest request) const {
    net::HttpRequest made = make(std::move(request));
    net::HttpResponse response;
    net::BodyPlan plan = endpoint_->body_plan(made.head);
    if (made.body.size() > plan.limit) {
        response = endpoint_->failure(413, "body_too_large", "the body is too large");
    } else {
        if (plan.delivery == net::BodyPlan::Delivery::streamed && made.head.has_body()) {
            made.stream = net::BodyReader(new TextSource(std::exchange(made.body, {})));
        }
        response = co_await endpoint_->handle(std::move(made));
    }
    TestResponse out;
    out.status = response.status;
    out.body = co_await text_of(response, out.trailers);
    out.headers = std::move(response.headers);
    out.websocket = response.websocket != nullptr;
    co_return out;
}

TestResponse TestClient::send(TestRequest request) const {
    std::optional<TestResponse> response;
    auto outcome = simulate({.shards = 1}, [&]() -> Task<Result<>> {
        response = co_await this->request(request);
        co_return Result<>();
    });
    if (!response) {
        throw std::runtime_error(outcome.hung ? "the request never ended" : "the request crashed");
    }
    return *std::move(response);
}

TestResponse TestClient::get(std::string target) const {
    return send({.target = std::move(target)});
}
TestResponse TestClient::delete_(std::string target) const {
    return send({.method = net::Method::delete_, .target = std::move(target)});
}

namespace {
TestRequest json_request(net::Method method, std::string target, const Json& body) {
    return {.method = method,
            .target = std::move(target),
            .headers = {{"content-type", "application/json"}},
            .body = to_json(body)};
}
}  // namespace

TestResponse TestClient::post(std::string target, const Json& body) const {
    return send(json_request(net::Method::post, std::move(target), body));
}
TestResponse TestClient::put(std::string target, const Json& body) const {
    return send(json_request(net::Method::put, std::move(target), body));
}
TestResponse TestClient::patch(std::string target, const Json& body) const {
    return send(json_request(net::Method::patch, std::move(target), body));
}

}  // namespace bennu
