#pragma once

#include "bennu/base/secret.hpp"
#include "bennu/net/client/http_client.hpp"

namespace bennu::net {

struct OAuth2Options {
    std::string token_url;
    std::string client_id;
    Secret client_secret;
    std::string scope = {};
    /// What else the server wants to know, such as `audience`.
    std::vector<std::pair<std::string, std::string>> parameters = {};
    /// So long before its end a token is replaced.
    Duration renew_before = std::chrono::seconds(30);
    /// What a token is good for that does not say so (`expires_in`).
    Duration default_lifetime = std::chrono::minutes(5);
    /// For one request of a token; the call that needs it may have less time left.
    Duration timeout = std::chrono::seconds(10);
};

/// `Authorization: Bearer …` with a token of the client credentials grant (RFC 6749, 4.4), asked
/// for through `tokens` with HTTP basic authentication. One token serves all shards: many calls
/// that need one at the same time ask once. An answer of 401 to a token makes the call ask for a
/// new one and try once more; a second 401 is the answer. A request that has its own
/// `Authorization` passes as it is. Errors: those of `tokens`; `unauthorized`, `oauth2_refused`,
/// when the server gives no token.
StepPtr oauth2_client_credentials(HttpClient tokens, OAuth2Options options);

}  // namespace bennu::net
