#pragma once

#include <map>
#include <string>

#include "bennu/web/testing.hpp"

namespace bennu {

/// A TestClient that keeps cookies from answer to request, as one browser does on one host: for the
/// tests of what needs a session. It does not look at paths and ages.
class TestBrowser {
  public:
    explicit TestBrowser(TestClient client) : client_(std::move(client)) {}

    Task<TestResponse> request(TestRequest request);
    TestResponse send(TestRequest request);
    TestResponse get(std::string target) { return send({.target = std::move(target)}); }

    /// By name; to look at, to steal and to spoil.
    std::map<std::string, std::string>& cookies() { return cookies_; }

  private:
    TestRequest with_cookies(TestRequest request) const;
    void keep(const TestResponse& response);

    TestClient client_;
    std::map<std::string, std::string> cookies_;
};

}  // namespace bennu
