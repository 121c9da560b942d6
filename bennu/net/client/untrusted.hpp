#pragma once

#include <string>
#include <vector>

#include "bennu/base/function.hpp"
#include "bennu/net/client/curl_transport.hpp"
#include "bennu/net/client/http_client.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu::net {

/// Numeric addresses of a host; blocks, on a thread beside the shards.
using ResolveHost = Function<Result<std::vector<std::string>>(const std::string& host) const>;

enum class Plaintext : std::uint8_t { refused, allowed };

struct UntrustedOptions {
    std::vector<std::uint16_t> ports = {443};
    /// http as well as https; its port must be among `ports`.
    Plaintext plaintext = Plaintext::refused;
    /// Addresses that pass although they are special, such as a receiver of one's own.
    std::vector<std::string> also_reach = {};
    /// Empty: the system's resolver.
    ResolveHost resolve = {};
    Duration timeout = std::chrono::seconds(15);
    std::uint64_t max_body = 1 << 20;
};

/// The guard for URLs that users wrote (webhooks, previews, imports): https only, few ports, no
/// user names, hosts in plain spelling; the name is resolved once, every address must be a public
/// one, and the connection goes to the address that was checked. Redirects are not followed, and
/// are errors (`forbidden`, `redirect_refused`), since they would name another host. Refusals are
/// `forbidden`: `scheme_refused`, `port_refused`, `host_refused`, `address_refused`. Last in a
/// list.
StepPtr untrusted_guard(UntrustedOptions options = {});

/// A client with the guard and a transport of its own that checks each address once more when it
/// connects. `outer` steps come first; one that follows redirects cannot.
HttpClient untrusted_client(UntrustedOptions options = {}, std::vector<StepPtr> outer = {});

}  // namespace bennu::net
