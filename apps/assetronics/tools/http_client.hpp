#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/base/result.hpp"

namespace assetronics::tools {

struct HttpAnswer {
    int status = 0;
    std::string body;
};

struct HttpCall {
    std::string url;
    std::vector<std::string> headers = {};  ///< `name: value`
    /// A file to POST; empty: GET.
    std::string upload = {};
    /// A text to POST instead, if any.
    std::string body = {};
    /// Told how much of the file is sent; may be empty.
    bennu::Function<void(std::uint64_t sent, std::uint64_t size)> progress = {};
    std::chrono::seconds timeout{60};
};

/// Asks a server and waits; blocks the thread. `unavailable` with code `not_reachable` when nobody
/// answers.
bennu::Result<HttpAnswer> http_call(HttpCall call);

/// `http://localhost:4000` without a trailing slash, as scheme, host and port. Only http is spoken.
struct ServerAddress {
    std::string url;
    std::string host;
    std::uint16_t port = 80;
};
bennu::Result<ServerAddress> parse_server(std::string_view url);
/// A numeric address of the host. Blocks.
bennu::Result<std::string> resolve(const std::string& host);

}  // namespace assetronics::tools
