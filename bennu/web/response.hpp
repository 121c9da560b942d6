#pragma once

#include <string>
#include <string_view>

#include "bennu/net/http_server.hpp"

namespace bennu {

/// What an action gives back. The body may be a `Shared<std::string>`: bytes that many responses
/// send. Content-Length, Date and Connection are the connection's business.
struct Response : net::HttpResponse {
    Response() = default;
    explicit Response(int code) { status = code; }
    Response(int code, std::string_view content_type, std::string text);
    Response(int code, std::string_view content_type, Shared<std::string> bytes);

    /// Replaces a header. Values with control characters are a fault.
    Response with_header(std::string_view name, std::string_view value) &&;
    /// Appends one: `set-cookie`, `vary`.
    Response with_added_header(std::string_view name, std::string_view value) &&;
    std::string_view content_type() const { return headers.get("content-type"); }
    bool has_body() const { return body_size() != 0; }
};

inline constexpr std::string_view json_type = "application/json";
inline constexpr std::string_view html_type = "text/html; charset=utf-8";
inline constexpr std::string_view text_type = "text/plain; charset=utf-8";

}  // namespace bennu
