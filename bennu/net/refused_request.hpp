#pragma once

#include <string_view>

#include "bennu/net/http_handler.hpp"

namespace bennu::net {

/// Method and path of a request that nobody could read, as far as they can be told: from what came
/// of its head, printable and cut; empty where it says none.
struct SeenRequestLine {
    std::string_view method;
    std::string_view path;
};
SeenRequestLine seen_request_line(std::string_view head);

/// Tells telemetry (`net.request.refused`; `status`; `why`) and the handler.
void tell_of_refusal(const HttpHandler& handler, const RefusedRequest& request);

}  // namespace bennu::net
