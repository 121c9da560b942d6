#include "bennu/net/https_redirect.hpp"

namespace bennu::net {

Task<HttpResponse> HttpsRedirect::handle(HttpRequest request) const {
    std::string_view host = request.head.host();
    std::size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
        host = host.substr(0, colon);
    }
    if (host.empty()) co_return failure(400, "missing_host", "the Host header is missing");
    std::string target = "https://" + std::string(host);
    if (port_ != 443) target += ":" + std::to_string(port_);
    target += request.head.path();
    if (!request.head.query().empty()) target.append("?").append(request.head.query());
    HttpResponse response;
    response.status = 308;
    response.headers.add("location", target);
    response.close = true;
    co_return response;
}

HttpResponse HttpsRedirect::failure(int status, std::string_view, std::string_view message) const {
    HttpResponse response;
    response.status = status;
    response.headers.add("content-type", "text/plain; charset=utf-8");
    response.body = std::string(message) + "\n";
    return response;
}

}  // namespace bennu::net
