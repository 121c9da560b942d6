#include "bennu/net/refused_request.hpp"

#include <algorithm>

#include "bennu/base/events.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

namespace {

constinit EventName request_refused{"net.request.refused"};

constexpr std::size_t longest_method = 20, longest_path = 200;

/// The beginning that is printable.
std::string_view printable(std::string_view text) {
    const auto odd = std::ranges::find_if_not(text, [](char c) { return c > ' ' && c < 0x7f; });
    return text.substr(0, static_cast<std::size_t>(odd - text.begin()));
}

}  // namespace

SeenRequestLine seen_request_line(std::string_view head) {
    SeenRequestLine seen;
    if (head.starts_with("\r\n")) head.remove_prefix(2);  // one empty line is tolerated
    const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
    const std::size_t blank = line.find(' ');
    const std::string_view method = line.substr(0, blank);
    if (method.empty() || method.size() > longest_method || !is_token(method)) return seen;
    seen.method = method;
    if (blank == std::string_view::npos) return seen;
    const std::string_view target = printable(line.substr(blank + 1, longest_path));
    seen.path = target.substr(0, target.find_first_of("?#"));
    return seen;
}

void tell_of_refusal(const HttpHandler& handler, const RefusedRequest& request) {
    emit(request_refused, {{"status", request.status}}, {{"why", request.code}});
    handler.refused(request);
}

}  // namespace bennu::net
