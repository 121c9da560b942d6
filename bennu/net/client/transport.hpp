#pragma once

#include "bennu/net/client/client_message.hpp"
#include "bennu/runtime/task.hpp"

namespace bennu::net {

/// What takes a request to its server and brings the answer: libcurl, or a stub in tests and in the
/// simulator. Any shard; one object serves all of them.
class Transport {
  public:
    virtual ~Transport() = default;
    /// One attempt. Any status is an answer. Errors: `timeout`; `unavailable` (`not_reachable`,
    /// `unknown_host`, `pool_timeout`); `closed` when the connection broke; `too_large`; `invalid`
    /// (`bad_url`); `overloaded` (`pool_full`); `io` (`tls`, `http`). Destroying the task cancels
    /// the transfer.
    virtual Task<Result<ClientResponse>> send(ClientRequest request) = 0;
};

}  // namespace bennu::net
