#pragma once

#include <string>
#include <vector>

#include "bennu/base/log.hpp"
#include "bennu/net/client/step.hpp"

namespace bennu::net {

struct RequestLogOptions {
    LogLevel level = LogLevel::info;        ///< of answers below 500
    LogLevel failures = LogLevel::warning;  ///< of errors and 5xx
    /// Headers of the request that are logged; none by default. Those that hold credentials show
    /// `***` all the same.
    std::vector<std::string> headers = {};
    /// Query parameters that show `***`, beside the usual names (`token`, `key`, `secret`…).
    std::vector<std::string> secret_parameters = {};
};

/// A line for each request that passes: method, URL, status or error, time; for a stream when its
/// head is there, and another one if it breaks off. Bodies are never
/// logged; user names, passwords and secret parameters of the URL show `***`.
StepPtr request_log(RequestLogOptions options = {});

/// The URL as logs may show it.
std::string masked_url(std::string_view url,
                       const std::vector<std::string>& secret_parameters = {});
/// Whether a header of this name holds credentials.
bool secret_header(std::string_view name);

}  // namespace bennu::net
