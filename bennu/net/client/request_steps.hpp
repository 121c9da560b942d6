#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bennu/base/secret.hpp"
#include "bennu/net/client/step.hpp"

namespace bennu::net {

/// Puts the URL in front of paths; a request with an absolute URL of another origin is refused
/// (`invalid`, `other_origin`), so that no credential behind this step travels elsewhere.
StepPtr base_url(std::string url);
/// Adds a header unless the request has one of that name. Throws for what cannot be sent.
StepPtr default_header(std::string name, std::string value);
/// `Authorization: Bearer …` and `Basic …`, unless the request has its own.
StepPtr bearer(Secret token);
StepPtr basic_auth(std::string user, Secret password);
/// The limits of every attempt.
struct AttemptLimits {
    Duration connect = std::chrono::seconds(10);
    Duration head = std::chrono::seconds(30);
    /// Of the answer, streamed ones too. Default: what the request says, which is 16 MiB, or any
    /// length for a stream.
    std::optional<std::uint64_t> max_body = {};
    Duration idle = std::chrono::seconds(30);
};
StepPtr attempt_limits(AttemptLimits limits);
/// Answers that are not 2xx become errors, by status: `invalid` 400 and 422, `unauthorized` 401,
/// `forbidden` 403, `not_found` 404, `conflict` 409, `too_large` 413, `overloaded` 429, `timeout`
/// 504, `unavailable` for other 5xx, `unsupported` for the rest; the code is `http_404`.
StepPtr expect_success();

struct RedirectOptions {
    int most = 10;
};
/// Follows 301, 302, 303, 307 and 308 as browsers do: 303 (and POST after 301 or 302) goes on as
/// GET. `Authorization`, `Cookie` and `Proxy-Authorization` stay behind when the origin changes.
/// Never from https to http (`forbidden`, `insecure_redirect`). Over the limit: `io`,
/// `too_many_redirects`. Stands before the steps that authenticate only if these may follow.
StepPtr follow_redirects(RedirectOptions options = {});

}  // namespace bennu::net
