#pragma once

#include "bennu/net/http_handler.hpp"

namespace bennu::net {

/// Answers every request of a plain listener with 308 to the same host and path over HTTPS.
class HttpsRedirect final : public HttpHandler {
  public:
    /// `port` is where the encrypted listener is reached.
    explicit HttpsRedirect(std::uint16_t port = 443) : port_(port) {}

    BodyPlan body_plan(const RequestHead&) const override { return {}; }
    Task<HttpResponse> handle(HttpRequest request) const override;
    HttpResponse failure(int status, std::string_view code,
                         std::string_view message) const override;

  private:
    std::uint16_t port_;
};

}  // namespace bennu::net
