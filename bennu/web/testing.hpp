#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/web/endpoint.hpp"

namespace bennu {

struct TestRequest {
    net::Method method = net::Method::get;
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    SocketAddress peer = {"127.0.0.1", 50'000};
    bool tls = false;
    std::shared_ptr<const net::PeerCertificate> client_certificate = {};
};

/// What came back, with the body as text.
struct TestResponse {
    int status = 0;
    net::Headers headers;
    std::string body;
    bool websocket = false;
    net::Headers trailers;  ///< what followed a streamed body

    std::string_view header(std::string_view name) const { return headers.get(name); }
    /// A body that is no JSON is a fault.
    Json json() const;
};

/// Sends requests through an endpoint without sockets: what the tests of controllers use.
class TestClient {
  public:
    explicit TestClient(std::shared_ptr<const Endpoint> endpoint);
    /// Over a router with mistakes: a fault.
    explicit TestClient(std::shared_ptr<Router> router, EndpointOptions options = {});

    /// Goes with every request.
    void set_header(std::string name, std::string value);

    /// From outside of the runtime: runs one for the request.
    TestResponse send(TestRequest request) const;
    /// From a process.
    Task<TestResponse> request(TestRequest request) const;

    TestResponse get(std::string target) const;
    TestResponse post(std::string target, const Json& body) const;
    TestResponse put(std::string target, const Json& body) const;
    TestResponse patch(std::string target, const Json& body) const;
    TestResponse delete_(std::string target) const;

  private:
    net::HttpRequest make(TestRequest request) const;
    std::shared_ptr<const Endpoint> endpoint_;
    std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace bennu
