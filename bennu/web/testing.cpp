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
    if (on_shard()) made.received = now();
    return made;
}

Task<TestResponse> TestClient::request(TestRequest request) const {
    net::HttpRequest made = make(std::move(request));
    net::HttpResponse response;
    if (made.body.size() > endpoint_->body_limit(made.head)) {
        response = endpoint_->failure(413, "body_too_large", "the body is too large");
    } else {
        response = co_await endpoint_->handle(std::move(made));
    }
    TestResponse out;
    out.status = response.status;
    out.body = response.body_view();
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
