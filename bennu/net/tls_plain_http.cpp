#include "bennu/net/tls_plain_http.hpp"

namespace bennu::net {

bool begins_like_plain_http(std::string_view received) {
    return !received.empty() && received.front() >= 'A' && received.front() <= 'Z';
}

std::string_view plain_http_answer() {
    static constexpr std::string_view answer =
        "HTTP/1.1 400 Bad Request\r\n"
        "content-type: text/plain; charset=utf-8\r\n"
        "content-length: 77\r\n"
        "connection: close\r\n\r\n"
        "This port speaks HTTPS only. Use https:// in the address instead of http://.\n";
    return answer;
}

}  // namespace bennu::net
